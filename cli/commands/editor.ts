// Runs the user's editor on a temporary file.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import type { Environment } from "../program/global-flags.ts";

/** A file that the editor has changed. */
export interface EditedFile {
  readonly text: string;
  readonly path: string;
}

const editorOf = ({ KUBE_EDITOR: own, EDITOR: usual }: Environment): string => own || usual || "vi";

/** Runs the editor, which may be a command with arguments. Throws CliError when it fails. */
function runEditor(editor: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
    const failed = (): void => reject(new CliError(`there was a problem with the editor ${JSON.stringify(editor)}`));
    child.on("error", failed);
    child.on("exit", (code) => (code === 0 ? resolve() : failed()));
  });
}

/** Lets the user edit a text. The file remains, so that nothing is lost when its content is refused. */
export async function edit(text: string, suffix: string, environment: Environment): Promise<EditedFile> {
  const folder = await mkdtemp(join(tmpdir(), "orrery-edit-"));
  const path = `${folder}${suffix}`;
  await writeFile(join(folder, "file"), text, { mode: 0o600 });
  await rename(join(folder, "file"), path);
  await rm(folder, { recursive: true });
  await runEditor(editorOf(environment), path);
  return { text: await readFile(path, "utf8"), path };
}
