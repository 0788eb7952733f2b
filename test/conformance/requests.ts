// Requests that several behaviours make in the same way, where the library would hide what is asked.
import { expect } from "vitest";
import type { ScenarioContext } from "./behaviour.ts";

const types = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** A patch that must succeed, and the object it made. */
export async function patched(
  ask: ScenarioContext["ask"],
  path: string,
  body: object,
  how: keyof typeof types = "merge",
): Promise<any> {
  const headers = { "content-type": types[how] };
  const answer = await ask(path, { method: "PATCH", headers, body: JSON.stringify(body) });
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text);
}

/** What has happened to a collection since a version of it, as a watch tells it. */
export async function historyOf(ask: ScenarioContext["ask"], path: string, since: string): Promise<readonly any[]> {
  const separator = path.includes("?") ? "&" : "?";
  const { status, text } = await ask(`${path}${separator}watch=true&resourceVersion=${since}&timeoutSeconds=1`);
  expect(status, text).toBe(200);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** What a request that must be refused was answered. */
export async function refused(request: Promise<unknown>): Promise<{ readonly code: number; readonly body: any }> {
  const error = await request.then(
    () => undefined,
    (e: { readonly code: number; readonly body: string }) => e,
  );
  expect(error, "the request was not refused").toBeDefined();
  return { code: error!.code, body: JSON.parse(error!.body) };
}
