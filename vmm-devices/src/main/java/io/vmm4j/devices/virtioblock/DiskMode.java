package io.vmm4j.devices.virtioblock;

/** What becomes of what a guest writes to a disk. */
public enum DiskMode {
  /**
   * It belongs to the machine, as its memory does: snapshots, forks and rewinds have it. The file
   * is never written.
   */
  OVERLAY,
  /** It is written to the file. Snapshots hold nothing of the disk. */
  DIRECT,
  /** The guest can't write. */
  READONLY
}
