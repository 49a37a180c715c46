package io.vmm4j.kvm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * struct kvm_run: what a vCPU and its user say to each other. For the vCPU's thread, but for {@link
 * #exitAtOnce}.
 */
final class RunPage {
  static final int EXIT_IO = 2;
  static final int EXIT_DEBUG = 4;
  static final int EXIT_HLT = 5;
  static final int EXIT_MMIO = 6;
  static final int EXIT_IRQ_WINDOW_OPEN = 7;
  static final int EXIT_SHUTDOWN = 8;
  static final int EXIT_FAIL_ENTRY = 9;
  static final int EXIT_INTR = 10;
  static final int EXIT_INTERNAL_ERROR = 17;
  static final int EXIT_IOAPIC_EOI = 26;
  static final int EXIT_RDMSR = 29;
  static final int EXIT_WRMSR = 30;

  private static final int REQUEST_INTERRUPT_WINDOW = 0;
  private static final int IMMEDIATE_EXIT = 1;
  private static final int EXIT_REASON = 8;
  private static final int READY_FOR_INTERRUPT = 12;
  private static final int UNION = 32;
  private static final int MOST_INTERNAL_DATA = 16;

  private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private final MemorySegment page;

  RunPage(int vcpuFd, int bytes) {
    this.page = Libc.map(vcpuFd, bytes);
  }

  void close() {
    Libc.unmap(page);
  }

  /** Whether KVM_RUN is to return at once; ordered with all other volatile accesses. Any thread. */
  void exitAtOnce(boolean now) {
    BYTE.setVolatile(page, (long) IMMEDIATE_EXIT, (byte) (now ? 1 : 0));
  }

  boolean isExitAtOnce() {
    return (byte) BYTE.getVolatile(page, (long) IMMEDIATE_EXIT) != 0;
  }

  void requestInterruptWindow(boolean wanted) {
    page.set(ValueLayout.JAVA_BYTE, REQUEST_INTERRUPT_WINDOW, (byte) (wanted ? 1 : 0));
  }

  /** Whether the vCPU could take an external interrupt, when it was left. */
  boolean isReadyForInterrupt() {
    return page.get(ValueLayout.JAVA_BYTE, READY_FOR_INTERRUPT) != 0;
  }

  /** The state has become another one. */
  void forgetReadiness() {
    page.set(ValueLayout.JAVA_BYTE, READY_FOR_INTERRUPT, (byte) 0);
  }

  int exitReason() {
    return page.get(INT, EXIT_REASON);
  }

  // ---- EXIT_IO ----

  boolean ioIsOut() {
    return page.get(ValueLayout.JAVA_BYTE, UNION) != 0;
  }

  int ioSize() {
    return page.get(ValueLayout.JAVA_BYTE, UNION + 1);
  }

  int ioPort() {
    return page.get(SHORT, UNION + 2) & 0xFFFF;
  }

  int ioCount() {
    return page.get(INT, UNION + 4);
  }

  private long ioData(int element) {
    return page.get(LONG, UNION + 8) + (long) element * ioSize();
  }

  int ioValue(int element) {
    long at = ioData(element);
    return switch (ioSize()) {
      case 1 -> page.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
      case 2 -> page.get(SHORT, at) & 0xFFFF;
      default -> page.get(INT, at);
    };
  }

  void ioValue(int element, int value) {
    long at = ioData(element);
    switch (ioSize()) {
      case 1 -> page.set(ValueLayout.JAVA_BYTE, at, (byte) value);
      case 2 -> page.set(SHORT, at, (short) value);
      default -> page.set(INT, at, value);
    }
  }

  // ---- EXIT_MMIO ----

  long mmioAddress() {
    return page.get(LONG, UNION);
  }

  int mmioLength() {
    return page.get(INT, UNION + 16);
  }

  boolean mmioIsWrite() {
    return page.get(ValueLayout.JAVA_BYTE, UNION + 20) != 0;
  }

  long mmioValue() {
    return page.get(LONG, UNION + 8);
  }

  void mmioValue(long value) {
    page.set(LONG, UNION + 8, value);
  }

  // ---- EXIT_RDMSR, EXIT_WRMSR ----

  int msrIndex() {
    return page.get(INT, UNION + 12);
  }

  long msrValue() {
    return page.get(LONG, UNION + 16);
  }

  void msrValue(long value) {
    page.set(LONG, UNION + 16, value);
    page.set(ValueLayout.JAVA_BYTE, UNION, (byte) 0);
  }

  /** Makes the access a #GP. */
  void msrFault() {
    page.set(ValueLayout.JAVA_BYTE, UNION, (byte) 1);
  }

  // ---- others ----

  /** EXIT_IOAPIC_EOI. */
  int endedVector() {
    return page.get(ValueLayout.JAVA_BYTE, UNION) & 0xFF;
  }

  /** EXIT_DEBUG: the vector, 1 for #DB or 3 for #BP. */
  int debugException() {
    return page.get(INT, UNION);
  }

  /** EXIT_DEBUG: the linear address of the instruction. */
  long debugAddress() {
    return page.get(LONG, UNION + 8);
  }

  /** EXIT_DEBUG: DR6 as the debugger's breakpoints would set it. */
  long debugDr6() {
    return page.get(LONG, UNION + 16);
  }

  /** What the kernel says of an exit that should not be. */
  String describeFailure() {
    StringBuilder text = new StringBuilder();
    switch (exitReason()) {
      case EXIT_FAIL_ENTRY ->
          text.append(
              "the processor refuses to enter the guest, reason 0x%x"
                  .formatted(page.get(LONG, UNION)));
      case EXIT_INTERNAL_ERROR -> {
        int kind = page.get(INT, UNION);
        text.append(
            switch (kind) {
              case 1 -> "KVM can't emulate an instruction of the guest";
              case 2 -> "KVM met two exceptions at a time";
              case 3 -> "KVM met an event that it can't deliver";
              default -> "KVM has an internal error of kind " + kind;
            });
        int count = Math.clamp(page.get(INT, UNION + 4), 0, MOST_INTERNAL_DATA);
        for (int i = 0; i < count; i++) {
          text.append(i == 0 ? ": " : " ")
              .append("0x%x".formatted(page.get(LONG, UNION + 8 + 8L * i)));
        }
      }
      default -> text.append("KVM has left the guest for reason ").append(exitReason());
    }
    return text.toString();
  }
}
