package io.vmm4j.engine.acpi;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PlatformFact.EventInterrupt;
import io.vmm4j.api.device.PlatformFact.FixedDevice;
import io.vmm4j.api.device.PlatformFact.GenerationId;
import io.vmm4j.api.firmware.Aml;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * VM generation ids, and the generic event devices (ACPI 6.4, 5.6.9) that notify drivers of devices
 * without fixed hardware: one for each event.
 */
final class EventDevices {
  private static final int MOST_EVENTS = 16;

  private EventDevices() {}

  /**
   * The devices, for scope {@code \_SB}.
   *
   * @throws IllegalArgumentException if an event is for a device that nobody describes, or a number
   *     is out of its range, or there are more than 16 events
   */
  static List<byte[]> of(List<PlatformFact> facts) {
    List<byte[]> devices = new ArrayList<>();
    List<EventInterrupt> events = new ArrayList<>();
    Set<String> names = new HashSet<>();
    int generationIds = 0;
    for (PlatformFact fact : facts) {
      switch (fact) {
        case FixedDevice device -> names.add(device.name());
        case GenerationId id -> {
          names.add(id.name());
          devices.add(generationId(id, generationIds++));
        }
        case EventInterrupt event -> events.add(event);
        default -> {}
      }
    }
    if (events.size() > MOST_EVENTS) {
      throw new IllegalArgumentException(
          "event interrupts: at most %d, not %d".formatted(MOST_EVENTS, events.size()));
    }
    for (EventInterrupt event : events) {
      check(event, names);
      devices.add(genericEventDevice(event, devices.size() - generationIds));
    }
    return devices;
  }

  private static byte[] generationId(GenerationId id, int uid) {
    // Microsoft's drivers go by VM_Gen_Counter. Hyper-V also has the short form, for systems that
    // compare few characters. It has not the form of a hardware id (5.6.7 of 6.4 wants hexadecimal
    // digits at its end), which no system minds.
    return Aml.device(
        id.name(),
        Aml.name("_HID", Aml.string("VMGENCTR")),
        Aml.name("_CID", Aml.string("VM_Gen_Counter")),
        Aml.name("_DDN", Aml.string("VM_Gen_Counter")),
        Aml.name("_UID", Aml.integer(uid)),
        Aml.name(
            "ADDR",
            Aml.packageOf(
                Aml.integer((int) id.address()), Aml.integer((int) (id.address() >>> 32)))));
  }

  private static void check(EventInterrupt event, Set<String> names) {
    if (!names.contains(event.deviceName())) {
      throw new IllegalArgumentException("%s is for a device that is not there".formatted(event));
    }
    if (event.notification() < 0x80
        || event.notification() > 0xFF
        || event.interrupt() < 16
        || event.interrupt() > 23
        || event.statusPort() < 0
        || event.statusPort() > 0xFFFF) {
      throw new IllegalArgumentException("%s has a number out of its range".formatted(event));
    }
  }

  private static byte[] genericEventDevice(EventInterrupt event, int index) {
    return Aml.device(
        "GED" + Integer.toHexString(index).toUpperCase(Locale.ROOT),
        Aml.name("_HID", Aml.string("ACPI0013")),
        Aml.name("_UID", Aml.integer(index)),
        Aml.name("_CRS", Aml.sharedInterrupt(event.interrupt())),
        Aml.portField("EVTR", event.statusPort(), "EVTS"),
        // Taken back first: what comes from then on is another event.
        Aml.method(
            "_EVT",
            1,
            Aml.ifTrue(
                "EVTS",
                Aml.store(Aml.integer(1), "EVTS"),
                Aml.notify(event.deviceName(), event.notification()))));
  }
}
