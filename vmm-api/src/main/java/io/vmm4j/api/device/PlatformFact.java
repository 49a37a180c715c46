package io.vmm4j.api.device;

import java.util.List;

/** What firmware tables say about a device. */
public sealed interface PlatformFact {

  /** An I/O APIC whose first pin is global system interrupt {@code firstInterrupt}. */
  record IoApic(int id, long address, int firstInterrupt) implements PlatformFact {}

  /**
   * ISA interrupt {@code isaIrq} arrives at another global system interrupt, or in another form.
   */
  record InterruptOverride(
      int isaIrq, int globalInterrupt, boolean activeLow, boolean levelTriggered)
      implements PlatformFact {}

  /** A pair of 8259 PICs is present. */
  record LegacyPics() implements PlatformFact {}

  /** A keyboard controller is present at ports 0x60 and 0x64, interrupt 1. */
  record KeyboardController() implements PlatformFact {}

  /** A CMOS real-time clock is present at ports 0x70 and 0x71, interrupt 8. */
  record RealTimeClock() implements PlatformFact {}

  /**
   * ACPI fixed hardware (ACPI 6.4, 4.8).
   *
   * @param eventPort PM1a event block, 4 bytes
   * @param controlPort PM1a control block, 2 bytes
   * @param timerPort PM timer, 4 bytes, 24 bits wide
   * @param interrupt the system control interrupt
   * @param sleepTypeS5 SLP_TYP of soft-off
   */
  record PowerManagement(
      int eventPort, int controlPort, int timerPort, int interrupt, int sleepTypeS5)
      implements PlatformFact {}

  /** The power button is part of the ACPI fixed hardware (ACPI 6.4, 4.8.2.2.1). */
  record PowerButton() implements PlatformFact {}

  /** Writing {@code value} to {@code port} resets the machine. */
  record ResetRegister(int port, int value) implements PlatformFact {}

  /**
   * A device at fixed resources, for the DSDT.
   *
   * @param name up to 4 upper-case letters or digits, beginning with a letter, such as {@code COM1}
   * @param hardwareId such as {@code PNP0501}
   */
  record FixedDevice(
      String name,
      String hardwareId,
      List<PortRange> ports,
      List<MmioRange> windows,
      List<Integer> interrupts)
      implements PlatformFact {}

  /** Ports of a {@link FixedDevice}. */
  record PortRange(int first, int count) {}

  /** A window of a {@link FixedDevice}, below 4 GiB. */
  record MmioRange(long base, long length) {}
}
