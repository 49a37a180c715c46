package io.vmm4j.api;

/**
 * Whether the software backend makes machine code of the guest's. It needs native access ({@code
 * --enable-native-access=io.vmm4j.software}) and an x86-64 Linux host; without it the interpreter
 * executes the guest, some twenty times slower and in memory-safe Java throughout.
 *
 * <p>A guest finds no difference, and under virtual time a run gives the same bytes either way.
 *
 * @see Backends#software(Translation)
 */
public enum Translation {
  /**
   * Where it can be done here; otherwise the log says what is missing. The system property {@code
   * vmm4j.translation=off} makes it mean {@link #OFF}, as is wise where the host is itself
   * emulated.
   */
  AUTO,

  /** Never: the interpreter executes everything. */
  OFF,

  /** Always: the machine is not built where it can't be done. */
  REQUIRED
}
