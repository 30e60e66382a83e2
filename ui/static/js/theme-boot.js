// Runs before the first paint, so that no page flashes in the wrong theme.
(function () {
  const root = document.documentElement;
  try {
    root.dataset.theme = localStorage.getItem("lockstep.theme") || "auto";
    root.dataset.updown = localStorage.getItem("lockstep.updown") || "green-up";
  } catch {
    root.dataset.theme = "auto"; // storage may be forbidden; the default is readable
  }
})();
