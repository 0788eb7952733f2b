// Options of log and streaming requests, and the queries sent to kubelets.
import { describe, expect, test } from "vitest";
import { ApiError } from "../../../api/errors.ts";
import { logQuery } from "../../../apiserver/request/options.ts";
import { sessionQuery } from "../../../apiserver/streaming/pods.ts";
import { dialError } from "../../../apiserver/kubelets/kubelets.ts";

const kubeletQuery = (query: string): string => decodeURIComponent(String(logQuery("web", new URLSearchParams(query))));

test.each([
  ["", ""],
  ["follow=true&timestamps=0&previous=False", "follow=true"],
  ["follow&container=c&pretty=true", "follow=true"],
  ["tailLines=5&limitBytes=1&sinceSeconds=9", "tailLines=5&limitBytes=1&sinceSeconds=9"],
  ["tailLines=%2B5", "tailLines=5"],
  ["sinceTime=2026-01-02T03:04:05Z", "sinceTime=2026-01-02T03:04:05Z"],
  ["sinceTime=null", "sinceTime=0001-01-01T00:00:00Z"],
])("?%s becomes %s", (query, expected) => expect(kubeletQuery(query)).toBe(expected));

describe("invalid options", () => {
  const invalid = (what: string): string => `PodLogOptions "web" is invalid: ${what}`;
  test.each([
    ["tailLines=-1", "Invalid", invalid("tailLines: Invalid value: -1: must be greater than or equal to 0")],
    ["limitBytes=0", "Invalid", invalid("limitBytes: Invalid value: 0: must be greater than 0")],
    ["sinceSeconds=0", "Invalid", invalid("sinceSeconds: Invalid value: 0: must be greater than 0")],
    [
      "sinceSeconds=1&sinceTime=2026-01-02T03:04:05Z",
      "Invalid",
      invalid("[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"),
    ],
    ["stream=Stdout", "Invalid", invalid("stream: Forbidden: may not be specified")],
    [
      "tailLines=-1&limitBytes=0&sinceSeconds=1&sinceTime=&stream=",
      "Invalid",
      invalid(
        "[tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0, []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified, stream: Forbidden: may not be specified]",
      ),
    ],
    ["tailLines=", "BadRequest", 'strconv.ParseInt: parsing "": invalid syntax'],
    [
      "limitBytes=9223372036854775808",
      "BadRequest",
      'strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
    ["tailLines=x", "BadRequest", 'strconv.ParseInt: parsing "x": invalid syntax'],
  ])("?%s is %s: %s", (query, reason, message) => {
    let error: unknown;
    try {
      kubeletQuery(query);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ reason, message });
  });
});

test.each([
  ["exec", "stdout=true&stderr=1&stdin=false&command=sh&command=-c", "output=1&error=1&command=sh&command=-c"],
  ["attach", "stdin=true&stdout=true&tty=true&command=sh", "input=1&output=1&tty=1"],
  ["portforward", "ports=80&ports=443", "port=80&port=443"],
])("%s with ?%s requests ?%s", (what, query, expected) =>
  expect(String(sessionQuery(what, new URLSearchParams(query)))).toBe(expected),
);

test("connection errors have Go's messages", () => {
  const refused = { code: "ECONNREFUSED", message: "connect ECONNREFUSED" };
  expect(dialError(refused, "10.0.0.1", 80)).toBe("dial tcp 10.0.0.1:80: connect: connection refused");
  expect(dialError(refused, "fd00::1", 80)).toBe("dial tcp [fd00::1]:80: connect: connection refused");
  expect(dialError({ message: "odd" }, "h", 1)).toBe("odd");
});
