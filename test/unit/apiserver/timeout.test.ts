import { expect, test } from "vitest";
import { timeoutError } from "../../../apiserver/request/path.ts";

const table = [
  ["timeout=30s", "list", undefined, undefined],
  ["timeout=1m30.5s", "list", undefined, undefined],
  ["timeout=0", "list", undefined, undefined],
  ["timeout=", "list", undefined, undefined],
  ["", "list", undefined, undefined],
  ["timeout=abc", "list", undefined, 'time: invalid duration "abc"'],
  ["timeout=5", "list", undefined, 'time: missing unit in duration "5"'],
  ["timeout=abc", "watch", undefined, undefined],
  ["timeout=abc", "get", "log", undefined],
  ["timeout=abc", "create", "exec", undefined],
] as const;
for (const [query, verb, subresource, expected] of table)
  test(`${query || "no timeout"} of ${verb} ${subresource ?? ""}`, () => {
    const error = timeoutError(new URLSearchParams(query), { verb, ...(subresource && { subresource }) });
    expect(error?.message).toBe(expected && `invalid timeout specified in the request URL - ${expected}`);
  });
