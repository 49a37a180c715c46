package io.vmm4j.engine.memory;

import java.util.Comparator;

/**
 * Who answers where several want the same address, on any bus; the lower one comes first. It
 * follows from how a machine is made and from nothing that happens later, so a restored machine has
 * the same.
 *
 * @param kind the first thing that counts
 * @param device the number of the device, in the order in which they were made
 * @param number among what is of one kind and device
 * @param name among what has the same number
 */
public record Precedence(Kind kind, int device, int number, String name)
    implements Comparable<Precedence> {

  /** What kinds there are, the first before all others. */
  public enum Kind {
    /** RAM, which a host bridge decodes before anything else. */
    RAM,
    /** A claim whose place the board fixes. */
    FIXED,
    /** A claim without a place of its own, which the guest moves. */
    MOVABLE,
    /** A mapping of device memory. */
    MAPPING,
    /** RAM that gives way to whatever is mapped over it. */
    SHADOW
  }

  private static final Comparator<Precedence> ORDER =
      Comparator.comparing(Precedence::rank)
          .thenComparing(Precedence::device)
          .thenComparing(Precedence::kind)
          .thenComparing(Precedence::number)
          .thenComparing(Precedence::name);

  /** Movable claims and mappings are alike: BARs of devices. */
  private int rank() {
    return switch (kind) {
      case RAM -> 0;
      case FIXED -> 1;
      case MOVABLE, MAPPING -> 2;
      case SHADOW -> 3;
    };
  }

  @Override
  public int compareTo(Precedence other) {
    return ORDER.compare(this, other);
  }
}
