// Stops a CSI driver in the middle of its work, deterministically: the programs that it runs on a node are replaced by
// ones of the same name that wait, before or after they have done their work, until they are let go.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../cli/cluster/subprocess.ts";
import { until } from "./cluster.ts";

export type Moment = "before" | "after";

/** What is held: a shell pattern of a program and its arguments. */
export interface Hold {
  readonly moment: Moment;
  readonly pattern: string;
}

const folder = "/var/held-programs";
// The hold is a line ID MOMENT PATTERN; each program that waits for its end adds a line to a file with its id.
const program = `#!/bin/sh
name=\${0##*/}
args=$*
wait_at() {
  read -r id moment pattern <${folder}/hold
  [ "$moment" = "$1" ] || return
  case "$name $args" in $pattern) ;; *) return ;; esac
  echo "$args" >>${folder}/reached-$id
  while read -r current _ <${folder}/hold && [ "$current" = "$id" ]; do sleep 0.05; done
}
wait_at before
/usr/bin/$name "$@"
code=$?
wait_at after
exit $code
`;

export interface HeldPrograms {
  /** Replaces the programs. To be called once. */
  install(): Promise<void>;
  /** Lets go what is held, and holds this from now on. The node may be down. */
  hold(next?: Hold): Promise<void>;
  /** Resolves when this many different calls are held. */
  reached(calls: number): Promise<unknown>;
}

/** The programs `names` of the node in this container. */
export function heldPrograms(container: string, names: readonly string[]): HeldPrograms {
  const local = mkdtempSync(join(tmpdir(), "orrery-held-"));
  let id = 0;
  const inNode = (script: string): Promise<string> => run(["docker", "exec", container, "sh", "-c", script]);
  /** Works on a container that does not run, too. */
  const copy = async (name: string, text: string, target: string, mode = 0o644): Promise<void> => {
    writeFileSync(join(local, name), text, { mode });
    await run(["docker", "cp", join(local, name), `${container}:${target}`]);
  };
  const hold: HeldPrograms["hold"] = async (next) => {
    id++;
    await copy("hold", `${id} ${next?.moment ?? "never"} ${next?.pattern ?? ""}\n`, `${folder}/hold`);
  };
  return {
    async install() {
      await inNode(`mkdir -p ${folder}`);
      await hold();
      for (const name of names) await copy(name, program, `/usr/local/sbin/${name}`, 0o755);
    },
    hold,
    reached: (calls) =>
      until(`${calls} calls are held`, async () => {
        const lines = await inNode(`sort -u ${folder}/reached-${id} 2>/dev/null || true`);
        return lines.split("\n").filter(Boolean).length >= calls;
      }),
  };
}
