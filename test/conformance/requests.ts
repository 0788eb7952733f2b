// Requests shared by several behaviours, where the library hides the response.
import { expect } from "vitest";
import type { ScenarioContext } from "./behaviour.ts";

const types = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** Sends a patch that must succeed and returns the object. */
export async function patched(
  send: ScenarioContext["send"],
  path: string,
  body: object,
  how: keyof typeof types = "merge",
): Promise<any> {
  const headers = { "content-type": types[how] };
  const response = await send(path, { method: "PATCH", headers, body: JSON.stringify(body) });
  expect(response.status, response.text).toBe(200);
  return JSON.parse(response.text);
}

/** The watch events of a collection since a resource version. */
export async function historyOf(send: ScenarioContext["send"], path: string, since: string): Promise<readonly any[]> {
  const separator = path.includes("?") ? "&" : "?";
  const { status, text } = await send(`${path}${separator}watch=true&resourceVersion=${since}&timeoutSeconds=1`);
  expect(status, text).toBe(200);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** The error response of a request that must be refused. */
export async function refused(request: Promise<unknown>): Promise<{ readonly code: number; readonly body: any }> {
  const error = await request.then(
    () => undefined,
    (e: { readonly code: number; readonly body: string }) => e,
  );
  expect(error, "the request was not refused").toBeDefined();
  return { code: error!.code, body: JSON.parse(error!.body) };
}
