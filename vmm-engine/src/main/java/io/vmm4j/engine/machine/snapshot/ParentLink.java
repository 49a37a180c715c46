package io.vmm4j.engine.machine.snapshot;

import io.vmm4j.snapshot.ChangedPages;
import io.vmm4j.snapshot.MemoryDigest;
import java.util.BitSet;
import java.util.UUID;

/**
 * What a snapshot that is written as a delta knows of its parent; the parent need not exist any
 * more.
 *
 * @param id the parent's
 * @param memory the digest of the parent's memory
 * @param changed every page of the snapshot's own memory, by place in its image, that may differ
 *     from the parent's; never changed
 */
public record ParentLink(UUID id, MemoryDigest memory, BitSet changed) {

  /** The changed pages of a region. */
  public ChangedPages changedPages(ImageMemory.Place place) {
    int first = (int) (place.offset() / ImageMemory.PAGE);
    return page -> {
      int next = page > Integer.MAX_VALUE - first ? -1 : changed.nextSetBit(first + (int) page);
      return next < 0 ? ChangedPages.NONE : next - first;
    };
  }
}
