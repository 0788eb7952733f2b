// The signals a container may want to be stopped with.

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

/** What there is to choose from; nothing is known of other operating systems. */
export function stopSignals(os: string): readonly string[] | undefined {
  if (os === "windows") return ["SIGKILL", "SIGTERM"];
  return os === "linux" ? ofLinux : undefined;
}
