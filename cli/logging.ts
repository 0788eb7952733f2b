// Logs of components: one JSON line an entry, with the component's name, on standard output, where the supervisor
// keeps them.
import pino from "pino";
import type { Log } from "../machinery/world.ts";

/** Errors carry a field `error`, and that makes them worth an operator's look: they are logged as warnings. */
export function componentLog(component: string): Log {
  const logger = pino({ base: { component } }, pino.destination({ fd: 1, sync: true }));
  return (message, fields = {}) =>
    fields["error"] === undefined ? logger.info(fields, message) : logger.warn(fields, message);
}
