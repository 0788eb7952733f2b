// Facts about one container: the default pull policy, the stop signals of an operating system, restart rules.
import type { Container, PodSpec } from "../../generated/types.ts";

/** Whether a container that exited restarts, by its own rules, its policy, or the pod's. Source: KEP-5307. */
export function restartsAfter(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  spec: PodSpec,
  code: number,
): boolean {
  const rule = rules.find(({ exitCodes }) => {
    const isListed = exitCodes?.values?.includes(code) === true;
    return exitCodes?.operator === (isListed ? "In" : "NotIn");
  });
  if (restartPolicy && rule?.action === "Restart") return true;
  const policy = restartPolicy || spec.restartPolicy;
  return policy === "OnFailure" ? code !== 0 : policy !== "Never";
}

const named =
  "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ";
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
const ofLinux = [
  ...named.split(" ").map((name) => `SIG${name}`),
  "SIGRTMIN",
  ...upTo(15).map((n) => `SIGRTMIN+${n}`),
  ...upTo(14).map((n) => `SIGRTMAX-${n}`),
  "SIGRTMAX",
].toSorted();

/** The signals of an operating system; undefined for systems other than Linux and Windows. */
export function stopSignals(os: string): readonly string[] | undefined {
  if (os === "windows") return ["SIGKILL", "SIGTERM"];
  return os === "linux" ? ofLinux : undefined;
}

/** `Always` for the tag `latest`, which is also the default tag; a digest or another tag is `IfNotPresent`. */
export function pullPolicy(image: string | undefined): "Always" | "IfNotPresent" {
  const tag = /:([^/:]+)$/.exec(image ?? "")?.[1] ?? "latest";
  return tag === "latest" && !image?.includes("@") ? "Always" : "IfNotPresent";
}
