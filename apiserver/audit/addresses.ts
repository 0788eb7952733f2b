// The addresses a request came from: those that proxies name, and that of the connection. Pure.
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";

const address = (text: string): string | undefined => {
  const trimmed = text.trim();
  return isIP(trimmed) === 0 ? undefined : trimmed.replace(/^::ffff:(?=\d+\.)/i, "");
};
const header = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? (value[0] ?? "") : (value ?? "");

/** From the first proxy on; the last is the connection's own, which no header can forge. */
export function addressesOf(headers: IncomingHttpHeaders, remoteAddress: string | undefined): readonly string[] {
  const found = header(headers["x-forwarded-for"])
    .split(",")
    .flatMap((part) => address(part) ?? []);
  const real = address(header(headers["x-real-ip"]));
  if (real !== undefined && !found.includes(real)) found.push(real);
  const remote = address(remoteAddress ?? "");
  if (remote !== undefined && found.at(-1) !== remote) found.push(remote);
  return found;
}
