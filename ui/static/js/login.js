// Log in with a JSON body; on success go where the person wanted to go, on this host only.

import { post } from "./api.js";

const form = document.getElementById("login");
const password = document.getElementById("password");
const error = document.getElementById("login-error");
const button = form.querySelector("button");

/** The local path after `next`, or the executor page for anything else. */
function destination() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "";
  const local = URL.canParse(wanted, location.origin) ? new URL(wanted, location.origin) : null;
  return local && local.origin === location.origin && wanted.startsWith("/")
    ? local.pathname + local.search
    : "/executor";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  error.textContent = "";
  const answer = await post("/api/v1/login", { password: password.value });
  if (answer.ok) return location.assign(destination());
  button.disabled = false;
  error.textContent = answer.problem.detail;
  password.select();
});
