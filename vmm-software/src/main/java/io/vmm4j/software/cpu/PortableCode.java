package io.vmm4j.software.cpu;

/** What another tier has made of a block, so that any machine can have it. Immutable. */
public interface PortableCode {

  /** About how many bytes of the heap it takes. */
  long heapBytes();
}
