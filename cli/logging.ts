// The log of a component: JSON lines with its name on standard output, which the supervisor writes to a file.
import pino from "pino";
import type { Log } from "../machinery/world.ts";

/** Logs entries with a field `error` as warnings, all others as information. */
export function componentLog(component: string): Log {
  const logger = pino({ base: { component } }, pino.destination({ fd: 1, sync: true }));
  return (message, fields = {}) =>
    fields["error"] === undefined ? logger.info(fields, message) : logger.warn(fields, message);
}
