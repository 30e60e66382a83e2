// REST calls. An answer is a value: { ok, status, data, etag, problem }; nothing throws.

const UNREACHABLE = {
  title: "No answer",
  detail: "The server did not answer. Nothing is known to have changed.",
  errors: [],
};

/** A fresh key for one command; the same key sent again is answered with the saved result. */
export function commandKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const get = (path) => request("GET", path);

/** POST a command with its own idempotency key. */
export const post = (path, body = {}, options = {}) => request("POST", path, body, options);

export async function request(method, path, body, { ifMatch, key } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["Idempotency-Key"] = key ?? commandKey();
  if (ifMatch) headers["If-Match"] = ifMatch;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    return { ok: false, status: 0, data: null, etag: null, problem: UNREACHABLE };
  }
  const data = await read(response);
  const problem = response.ok ? null : asProblem(response, data);
  return { ok: response.ok, status: response.status, data, etag: etagOf(response), problem };
}

async function read(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

const etagOf = (response) => response.headers.get("ETag")?.replaceAll('"', "") ?? null;

function asProblem(response, data) {
  return {
    title: data?.title ?? `HTTP ${response.status}`,
    detail: data?.detail ?? "The server refused without saying why.",
    errors: data?.errors ?? [],
    current: data?.current ?? null,
    status: response.status,
  };
}
