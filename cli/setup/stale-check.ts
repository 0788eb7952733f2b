// The shell script by which the launcher sees that files are older than their sources, without a process or a listing.

/** A script that sets `stale` when one of the sources is newer than the script. Paths are relative to `$root`. */
export function staleCheck(script: string, sources: readonly string[]): string {
  const lines = [...sources, "package-lock.json"].toSorted().map((file) => `  ${file}`);
  return [
    `# Sets stale=1 when a source has changed since this file was written. Written by cli/setup.`,
    "stale=",
    `for source in \\\n${lines.join(" \\\n")}`,
    `do [ "$root/$source" -nt "$root/${script}" ] && stale=1 && break; done`,
    "",
  ].join("\n");
}
