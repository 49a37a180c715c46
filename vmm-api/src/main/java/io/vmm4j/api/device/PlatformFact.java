package io.vmm4j.api.device;

import io.vmm4j.api.firmware.AcpiTable;
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

  /**
   * A high precision event timer block (IA-PC HPET specification 1.0a, 3.2.4).
   *
   * @param address its base, below 4 GiB
   * @param blockId the low half of its capabilities register
   */
  record HighPrecisionEventTimer(long address, int blockId) implements PlatformFact {}

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

  /**
   * A VM generation id: a GUID, 16 bytes, that changes when a guest is restored as a clone
   * (Microsoft, "Virtual Machine Generation ID"). State an {@link EventInterrupt} for its name with
   * notification 0x80, so that the guest learns of the change.
   *
   * @param name as that of a {@link FixedDevice}
   * @param address its guest physical address: a multiple of 8, in memory that is not RAM
   */
  record GenerationId(String name, long address) implements PlatformFact {}

  /**
   * An interrupt upon which the guest's operating system notifies the driver of a device (generic
   * event device: ACPI 6.4, 5.6.9). It is a level: the device asserts the line while an event
   * waits, and the guest takes the event back before it notifies. So an event that comes early, or
   * while a guest sleeps, waits until there is somebody to take it.
   *
   * @param deviceName the name of a {@link FixedDevice} or {@link GenerationId}
   * @param notification 0x80 to 0xFF: what it means is the device's affair
   * @param interrupt 16 to 23; several events may share it
   * @param statusPort a port of one byte, which reads 0 while no event waits; writing 1 takes the
   *     event back
   */
  record EventInterrupt(String deviceName, int notification, int interrupt, int statusPort)
      implements PlatformFact {}

  /**
   * What a device says in ACPI tables in its own words: a bus, above all, of which nobody else
   * knows what there is to say. It is asked when the tables are made, after all devices were.
   */
  non-sealed interface AcpiContent extends PlatformFact {

    /** Objects for the scope {@code \\_SB}, as {@link io.vmm4j.api.firmware.Aml} makes them. */
    List<byte[]> systemBusObjects();

    /** Tables of its own. */
    List<AcpiTable> tables();
  }

  /** Ports of a {@link FixedDevice}. */
  record PortRange(int first, int count) {}

  /** A window of a {@link FixedDevice}, below 4 GiB. */
  record MmioRange(long base, long length) {}
}
