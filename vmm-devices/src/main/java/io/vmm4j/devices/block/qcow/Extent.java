package io.vmm4j.devices.block.qcow;

/** Bytes of a disk that come from one place. */
sealed interface Extent {
  /** How many there are, at least one. */
  long length();

  /** They are zeros. */
  record Zeros(long length) implements Extent {}

  /** They are those of the backing file, or zeros without one. */
  record Behind(long length) implements Extent {}

  /** They lie in the file from a place on. */
  record Plain(long length, long place) implements Extent {}

  /** They are part of a compressed cluster, which an entry of an L2 table describes. */
  record Compressed(long length, long entry) implements Extent {}
}
