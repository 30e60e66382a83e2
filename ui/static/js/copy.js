// Copy text, also where the page came by plain HTTP and the clipboard is closed to it.

import { toast } from "./toast.js";

/** Whether the text is in the clipboard now; says so in a toast where it is not. */
export async function copyText(text, { quiet = false } = {}) {
  const copied = (await byClipboard(text)) || bySelection(text);
  if (!copied) toast("The browser did not allow copying", { severity: "warn" });
  else if (!quiet) toast("Copied", { severity: "good" });
  return copied;
}

async function byClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // absent on plain HTTP, or refused: the older way follows
  }
}

function bySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  const home = document.activeElement?.closest("dialog") ?? document.body;
  home.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
