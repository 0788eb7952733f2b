// What can be wrong with how storage is asked for or offered: rules that claims and volumes share.
import type { Problem } from "../errors.ts";
import { validateSubdomainName } from "../names.ts";
import { forbidden, unsupported } from "../problems.ts";
import { accessModes, volumeModes } from "./storage-words.ts";

interface Storage {
  readonly accessModes?: readonly string[];
  readonly volumeMode?: string;
  readonly storageClassName?: string;
}

export function validateAccessModes(modes: readonly string[], path: string): readonly Problem[] {
  const known = modes.filter((mode) => accessModes.includes(mode));
  return [
    ...modes
      .filter((mode) => !known.includes(mode))
      .map((mode) => unsupported(`${path}.accessModes`, mode, accessModes)),
    ...(known.includes("ReadWriteOncePod") && known.some((mode) => mode !== "ReadWriteOncePod")
      ? [forbidden(`${path}.accessModes`, "may not use ReadWriteOncePod with other access modes")]
      : []),
  ];
}

export const validateClassAndMode = ({ storageClassName, volumeMode }: Storage, path: string): readonly Problem[] => [
  ...validateSubdomainName(storageClassName, `${path}.storageClassName`),
  ...(volumeMode === undefined || volumeModes.includes(volumeMode)
    ? []
    : [unsupported(`${path}.volumeMode`, volumeMode, volumeModes)]),
];
