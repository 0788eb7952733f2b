// Words that claims and volumes share.

/** Where a class was named before there was a field for it. */
export const classAnnotation = "volume.beta.kubernetes.io/storage-class";

/** Every way to mount a volume, with the short word `kubectl get` has for it, in the order it lists them. */
const shortModes = { ReadWriteOnce: "RWO", ReadOnlyMany: "ROX", ReadWriteMany: "RWX", ReadWriteOncePod: "RWOP" };

/** `RWO,RWX` */
export const accessModesCell = (modes: readonly string[] | undefined): string =>
  Object.entries(shortModes)
    .flatMap(([mode, short]) => (modes?.includes(mode) ? [short] : []))
    .join(",");
