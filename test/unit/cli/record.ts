// Records what a kubectl prints for the commands of the recording: node test/unit/cli/record.ts KUBECTL
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { blockOf, folder, readRecording, recording, wordsOf } from "./lines.ts";

const [kubectl = "kubectl"] = process.argv.slice(2);
execFileSync(kubectl, ["version", "--client"]);
// Some of the commands ask a server which resources it serves: KUBECONFIG names one, best an empty `orrery server`.
const withOwnName = (text: string): string => text.replaceAll(/kubectl (?=[a-z])/g, "orrery ");
const blocks = readRecording().map(({ line }) => {
  const { stdout, stderr, status } = spawnSync(kubectl, wordsOf(line), { cwd: folder, encoding: "utf8" });
  return blockOf({ line, out: stdout, err: withOwnName(stderr), code: status ?? 1 });
});
writeFileSync(recording, blocks.join(""));
