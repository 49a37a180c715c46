package io.vmm4j.software.cpu;

/** Sees each change of a vCPU's data translations. On the vCPU's thread. */
public interface TlbCopy {

  /**
   * An entry is another.
   *
   * @param space the number of the address space
   * @param kind of privilege: {@link Mmu#kind}
   * @param index of the entry: bits 12 and up of a linear address, modulo the table's size
   * @param readTag the linear page that may be read, or {@link Mmu#NO_TAG}
   * @param writeTag the linear page that may be written, or {@link Mmu#NO_TAG}
   * @param addend what turns a linear address into an offset in the machine's segment
   */
  void set(int space, int kind, int index, long readTag, long writeTag, long addend);
}
