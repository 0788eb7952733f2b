// orrery snapshot: saves all objects of a cluster in a file, shows what is in one, and restores it.
import type { Command } from "commander";
import { readArchive } from "../../apiserver/snapshots/archive.ts";
import { connect } from "../client/access.ts";
import { textTable } from "../printers/table.ts";
import { type ArchivedCluster, archivedCluster } from "../snapshot/cluster-files.ts";
import { archivedNodes, restore } from "../snapshot/restore.ts";
import { readSnapshot, writeSnapshot } from "../snapshot/snapshot-file.ts";
import { interruption, realIo, withCluster } from "./cluster-option.ts";

interface Flags {
  readonly name: string;
}

const kindOf = (key: string): string => key.split("/", 3)[2] ?? "";
const volumesNote = (entries: readonly { readonly key: string }[]): string => {
  const count = entries.filter(({ key }) => kindOf(key) === "persistentvolumes").length;
  return count === 0 ? "" : `The contents of ${count} ${count === 1 ? "volume is" : "volumes are"} not in it.`;
};

async function save(file: string, { name }: Flags): Promise<void> {
  const server = await connect(name);
  const archive = readArchive(await server.get<string>("/snapshot"));
  const cluster = await archivedCluster(name);
  const bytes = await writeSnapshot(file, { ...archive, header: { ...archive.header, cluster } });
  const { entries, revision } = archive.header;
  const { progress } = realIo();
  progress.say(`Saved ${entries} objects of cluster "${name}" at revision ${revision} in ${file}, ${bytes} bytes.`);
  progress.say(
    `It holds every Secret in plain${cluster.keys ? ", and the private keys of the cluster" : ""}: only its owner may read it, and so it should stay.`,
  );
  const note = volumesNote(archive.entries);
  if (note !== "") progress.say(note);
}

async function show(file: string): Promise<void> {
  const { header, entries } = await readSnapshot(file);
  const { name = "", state, keys } = (header.cluster ?? {}) as Partial<ArchivedCluster>;
  const counts = Map.groupBy(entries, ({ key }) => kindOf(key));
  const rows = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, all]) => [kind, String(all.length)]);
  const facts = [
    `Cluster:   ${name}${state ? `, made with orrery up, store ${state.store}` : ", a server that runs alone"}`,
    `Taken at:  ${header.time}, revision ${header.revision}`,
    `Nodes:     ${archivedNodes({ entries }).join(", ") || "none"}`,
    `Keys:      ${keys ? "of the authority, of tokens" : "none"}${keys?.encryption ? ", of encrypted objects" : ""}`,
    `Contents:  complete, its hash is right. ${volumesNote(entries)}`.trimEnd(),
  ];
  process.stdout.write(`${facts.join("\n")}\n\n${textTable(["KIND", "OBJECTS"], rows)}\n`);
}

async function load(file: string, flags: Partial<Flags>): Promise<void> {
  const io = realIo();
  const archive = await readSnapshot(file);
  const { name: original = "orrery" } = (archive.header.cluster ?? {}) as Partial<ArchivedCluster>;
  const name = flags.name ?? original;
  const { renamed, entries } = await restore(name, archive, io, interruption());
  for (const [before, after] of renamed) io.progress.say(`Node ${after} takes the place of ${before}.`);
  io.progress.say(`Cluster "${name}" has the ${entries} objects of ${archive.header.time} again. Watches begin anew.`);
  const note = volumesNote(archive.entries);
  if (note !== "" && name !== original) io.progress.say(`${note} Pods that use them wait until the volumes are there.`);
}

/** Adds `snapshot` to the program. */
export const register = (program: Command): void => {
  const snapshot = program.command("snapshot").summary("save all objects of a cluster in a file, and restore them");
  withCluster(snapshot.command("save <file>"))
    .summary("save all objects at one revision, and the keys of the cluster")
    .description(
      "Saves all objects as they are at one revision, with the keys of the cluster. The file holds every Secret in plain; only its owner may read it. The contents of volumes are not in it.",
    )
    .addHelpText("after", "\nExamples:\n  orrery snapshot save before-upgrade.snapshot")
    .action(save);
  snapshot
    .command("show <file>")
    .summary("show what a snapshot holds, and check that it is complete")
    .addHelpText("after", "\nExamples:\n  orrery snapshot show before-upgrade.snapshot")
    .action(show);
  snapshot
    .command("restore <file>")
    .summary("replace all objects of a cluster by those of a snapshot")
    .description(
      "Replaces all objects of a cluster by those of a snapshot, in one step. Watches end, controllers and kubelets begin anew with what is there. Nodes that exist stay; leases stay with the programs that run. A cluster that does not exist is made as the one of the snapshot was, with its keys.",
    )
    .option("--name <cluster>", "the cluster; that of the snapshot unless set")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery snapshot restore before-upgrade.snapshot\n  orrery snapshot restore before-upgrade.snapshot --name copy",
    )
    .action(load);
};
