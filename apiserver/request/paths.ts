// Which paths are whose, and which may be seen without a name. Pure.
import type { ResourceDefinition } from "../../api/kinds.ts";

/** Open to everybody, as those who look after the server have to see them before there is any trust. */
const open = ["/livez", "/readyz", "/healthz", "/version", "/version/"];
/** Whether a path may be asked without saying who one is. */
export const isOpen = (path: string): boolean => open.includes(path);

const rootOf = (r: ResourceDefinition): string => (r.group === "" ? "/api" : `/apis/${r.group}`);

/** Whether a path is below an API of ours, so that what it means is ours to know. */
export const isClaimed = (kinds: readonly ResourceDefinition[], path: string): boolean =>
  kinds.some((r) => path === rootOf(r) || path.startsWith(`${rootOf(r)}/`));
