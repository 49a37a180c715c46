package io.vmm4j.software.apic;

/** A set of 256 vectors in 8 consecutive registers: IRR, ISR or TMR. */
final class Vectors {
  private final int[] registers;
  private final int first;

  Vectors(int[] registers, int first) {
    this.registers = registers;
    this.first = first;
  }

  boolean contains(int vector) {
    return (registers[first + (vector >> 5)] >> (vector & 31) & 1) != 0;
  }

  void add(int vector) {
    registers[first + (vector >> 5)] |= 1 << (vector & 31);
  }

  void remove(int vector) {
    registers[first + (vector >> 5)] &= ~(1 << (vector & 31));
  }

  /** The highest vector, or -1. */
  int highest() {
    for (int i = 7; i >= 0; i--) {
      if (registers[first + i] != 0) {
        return 32 * i + 31 - Integer.numberOfLeadingZeros(registers[first + i]);
      }
    }
    return -1;
  }
}
