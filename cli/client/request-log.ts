// Prints requests and responses for `-v`, as client-go does: lines from level 6 on, headers from 7, bodies from 8, and
// from 9 the command of curl. Credentials are left out.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Observer } from "./connection.ts";

/** How much of a body is printed at each level. */
const bodyLengths: Readonly<Record<number, number>> = { 8: 1024, 9: 10_240 };

const headerLines = (headers: IncomingHttpHeaders | OutgoingHttpHeaders): string =>
  Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `\t${name}: ${name.toLowerCase() === "authorization" ? "<masked>" : String(value)}\n`)
    .join("");

const curlCommand = (method: string, url: string, headers: OutgoingHttpHeaders): string => {
  const options = Object.entries(headers)
    .filter(([name]) => name.toLowerCase() !== "authorization")
    .map(([name, value]) => `-H ${JSON.stringify(`${name}: ${String(value)}`)} `);
  return `curl -v -X${method} ${options.join("")}'${url}'`;
};

/** Observes requests at a level of at least 6. */
export function requestLog(server: string, level: number, write: (text: string) => void): Observer {
  const line = (text: string): void => write(`${text}\n`);
  const body = (title: string, text: string): void => {
    const length = bodyLengths[level] ?? text.length;
    const rest = text.length > length ? ` [truncated ${text.length - length} chars]` : "";
    if (level >= 8) line(`"${title} Body" body=${JSON.stringify(text.slice(0, length) + rest)}`);
  };
  return {
    sent: ({ method = "GET", path }, headers, text) => {
      const url = server + path;
      body("Request", text ?? "");
      if (level >= 9) line(`"Request" curlCommand=<\n\t${curlCommand(method, url, headers)}\n >`);
      else if (level >= 7) line(`"Request" verb="${method}" url="${url}" headers=<\n${headerLines(headers)} >`);
    },
    answered: ({ method = "GET", path }, { statusCode, statusMessage, headers }, milliseconds) => {
      const status = `status="${statusCode} ${statusMessage}"`;
      if (level >= 7) line(`"Response" ${status} headers=<\n${headerLines(headers)} > milliseconds=${milliseconds}`);
      else line(`"Response" verb="${method}" url="${server}${path}" ${status} milliseconds=${milliseconds}`);
    },
    received: (text) => body("Response", text),
  };
}
