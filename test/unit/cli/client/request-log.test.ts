// What `-v` prints of a request at each level.
import { expect, test } from "vitest";
import type { IncomingMessage } from "node:http";
import { requestLog } from "../../../../cli/client/request-log.ts";

function logged(level: number): string {
  let text = "";
  const log = requestLog("https://server", level, (part) => {
    text += part;
  });
  const request = { method: "POST", path: "/api" } as const;
  const response = { statusCode: 201, statusMessage: "Created", headers: { date: "today" } } as IncomingMessage;
  log.sent(request, { accept: "application/json", Authorization: "Bearer secret" }, "{}");
  log.answered(request, response, 7);
  log.received("x".repeat(1030));
  return text;
}

const headers = `"Response" status="201 Created" headers=<\n\tdate: today\n > milliseconds=7\n`;
const request = `"Request" verb="POST" url="https://server/api" headers=<
\tAuthorization: <masked>
\taccept: application/json
 >
`;
const curl = `"Request" curlCommand=<
\tcurl -v -XPOST -H "accept: application/json" 'https://server/api'
 >
`;
const body = '"Request Body" body="{}"\n';
const short = `"Response Body" body="${"x".repeat(1024)} [truncated 6 chars]"\n`;
const fullBody = `"Response Body" body="${"x".repeat(1030)}"\n`;
test.each<[level: number, text: string]>([
  [6, '"Response" verb="POST" url="https://server/api" status="201 Created" milliseconds=7\n'],
  [7, request + headers],
  [8, body + request + headers + short],
  [9, body + curl + headers + fullBody],
  [10, body + curl + headers + fullBody],
])("level %i", (level, text) => expect(logged(level)).toBe(text));
