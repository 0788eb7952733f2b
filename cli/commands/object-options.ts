// The options that commands about objects share.
import type { Command } from "commander";
import { list } from "../program/flag-values.ts";

/** Adds the options that select objects of a type. */
export const withSelection = (command: Command): Command =>
  command
    .option("-A, --all-namespaces", "objects of all namespaces")
    .option("-l, --selector <labels>", "objects with these labels, such as app=web,tier!=cache")
    .option("--field-selector <fields>", "objects with these fields, such as status.phase=Running");

/** Adds the options that name manifests. */
export const withFiles = (command: Command): Command =>
  command
    .option("-f, --filename <path>", "files, folders or URLs of manifests; - for standard input; may be repeated", list)
    .option("-R, --recursive", "also read the folders below those of -f")
    .option("-k, --kustomize <dir>", "not supported: kubectl builds kustomizations");
