/** Requests to the gateway that served this page. */

import { anotherKey, currentKey } from "./key.js";

/** An error response; `requestId` identifies it in the gateway's log. */
export class ApiError extends Error {
  constructor(message, { code = "", requestId = "", retryAfterS = null } = {}) {
    super(message);
    Object.assign(this, { code, requestId, retryAfterS });
  }
}

/** A successful response; asks for an API key if one is required. Raises ApiError, and AbortError if it was cancelled. */
export async function request(path, options = {}) {
  for (;;) {
    const key = currentKey();
    const headers = { ...options.headers, ...(key !== null && { Authorization: `Bearer ${key}` }) };
    const response = await fetched(path, { ...options, headers });
    if (response.ok) return response;
    const error = await errorOf(response);
    if (response.status !== 401 || !(await anotherKey(key))) throw error;
  }
}

/** The JSON of a response. */
export async function getJson(path, options) {
  return (await request(path, options)).json();
}

/** Posts JSON; returns the response. */
export function postJson(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

/** The server-sent events of a response, parsed. Raises ApiError if one is an error, or the last one is missing. */
export async function* events(response) {
  const requestId = response.headers.get("X-Request-ID") ?? "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw error.name === "AbortError" ? error : brokenOff(requestId);
    });
    if (done) throw brokenOff(requestId);
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      if (part.startsWith(":")) continue; // a comment, while the LLM is silent
      const data = part.replace(/^data: /, "");
      if (data === "[DONE]") return;
      const event = JSON.parse(data);
      if (event.error) throw new ApiError(event.error.message, { code: event.error.code, requestId });
      yield event;
    }
  }
}

const brokenOff = (requestId) => new ApiError("The answer broke off.", { requestId });

async function fetched(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The gateway does not answer.");
  }
}

async function errorOf(response) {
  const answered = await response.json().catch(() => null); // a proxy may respond with something else
  const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new ApiError(answered?.error?.message ?? `The gateway answered with status ${response.status}.`, {
    code: answered?.error?.code,
    requestId: response.headers.get("X-Request-ID") ?? "",
    retryAfterS: Number.isNaN(retryAfter) ? null : retryAfter,
  });
}
