// How errors of the server are printed.
import { expect, test } from "vitest";
import { errorFrom } from "../../../../cli/client/connection.ts";
import { errorText } from "../../../../cli/program/report.ts";

const status = (fields: object): string => JSON.stringify({ kind: "Status", status: "Failure", ...fields });
const cause = { field: "spec.a", message: "Required value" };
test.each<[what: string, code: number, body: string, text: string]>([
  ["a reason", 403, status({ reason: "Forbidden", message: "no" }), "Error from server (Forbidden): no\n"],
  ["no reason", 500, status({ message: "no" }), "Error from server: no\n"],
  [
    "an invalid object",
    422,
    status({ reason: "Invalid", message: "m", details: { kind: "Pod", name: "p", causes: [cause] } }),
    'The Pod "p" is invalid: spec.a: Required value\n',
  ],
  ["text", 502, "bad", "Error from server (InternalError): the server answered with status 502: bad\n"],
])("%s", (_, code, body, text) => expect(errorText(errorFrom(code, body))).toBe(text));
