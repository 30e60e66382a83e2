// Dangerous buttons act only when they are held: [data-hold="600"], milliseconds.
//
// Pointer, touch, or Space or Enter on the focused button. A bare click fires "explain"; a hold
// to the end fires "held"; a press on an aria-disabled button fires "refused".

let running = null;

/** Watch the whole document. */
export function installHold() {
  const button = (event) => event.target.closest?.("[data-hold]");
  document.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && button(event)) begin(button(event), event.pointerId);
  });
  document.addEventListener("keydown", (event) => {
    if (!["Space", "Enter"].includes(event.code) || !button(event)) return;
    event.preventDefault();
    if (!event.repeat) begin(button(event), event.code);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, (event) => release(event.pointerId));
  }
  document.addEventListener("keyup", (event) => release(event.code));
  document.addEventListener("pointerout", (event) => {
    const inside = (element) => running?.button.contains(element);
    if (inside(event.target) && !inside(event.relatedTarget)) release(event.pointerId);
  });
  window.addEventListener("blur", () => running && release(running.by));
  document.addEventListener("click", (event) => {
    // Assistive technology clicks without a pointer or a key: explain, never act.
    if (button(event) && event.detail === 0 && !running) tell(button(event), "explain");
  });
  document.addEventListener("contextmenu", (event) => button(event) && event.preventDefault());
}

/** Hold for a key that is no button; returns nothing, fires on `button`. */
export function begin(button, by) {
  if (running) return;
  if (button.getAttribute("aria-disabled") === "true") return tell(button, "refused");
  const duration = Number(button.dataset.hold);
  const timer = setTimeout(() => finish(), duration);
  running = { button, by, timer };
  button.classList.add("holding");
}

/** Let go of what `by` holds. */
export function release(by) {
  if (!running || running.by !== by) return;
  const { button, timer } = running;
  clearTimeout(timer);
  stop();
  tell(button, "explain");
}

function finish() {
  const { button } = running;
  stop();
  tell(button, "held");
}

function stop() {
  running.button.classList.remove("holding");
  running = null;
}

function tell(button, name) {
  button.dispatchEvent(new CustomEvent(name, { bubbles: true }));
}
