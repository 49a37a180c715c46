package io.vmm4j.software.apic;

import java.util.ArrayList;
import java.util.List;

/**
 * The path of interrupt messages between the local APICs of a machine, the I/O APIC and MSIs (Intel
 * SDM volume 3, 11.6.2 and 11.11). All calls with the machine lock held.
 */
public final class ApicBus {
  static final int FIXED = 0;
  static final int LOWEST_PRIORITY = 1;
  static final int NMI = 4;
  static final int INIT = 5;
  static final int STARTUP = 6;
  static final int EXTERNAL = 7;

  private static final int BROADCAST_8 = 0xFF;

  private final List<LocalApic> apics = new ArrayList<>();

  /** A bus without APICs. */
  public ApicBus() {}

  /** Connects a local APIC. */
  public void add(LocalApic apic) {
    apics.add(apic);
    apic.connect(this);
  }

  /**
   * Delivers an interrupt message in the form of an MSI (SDM volume 3, 11.11).
   *
   * @param address 0xFEE00000 with the destination in bits 12 to 19 and its mode in bit 2
   * @param data vector in bits 0 to 7, delivery mode 8 to 10, trigger mode 15
   */
  public void deliverMessage(long address, int data) {
    int destination = (int) (address >>> 12) & 0xFF;
    boolean logical = (address & 4) != 0;
    int wide = destination == BROADCAST_8 ? -1 : destination;
    boolean level = (data & 1 << 15) != 0;
    int mode = data >> 8 & 7;
    boolean lowest = mode == LOWEST_PRIORITY || mode == FIXED && (address & 8) != 0 && logical;
    send(wide, logical, lowest ? LOWEST_PRIORITY : mode, data & 0xFF, level);
  }

  /**
   * Delivers to a destination.
   *
   * @param destination an APIC id or logical destination; all ones for everybody
   */
  void send(int destination, boolean logical, int mode, int vector, boolean level) {
    List<LocalApic> addressed = new ArrayList<>();
    for (LocalApic apic : apics) {
      if (apic.isEnabled() && apic.matches(destination, logical)) {
        addressed.add(apic);
      }
    }
    deliver(addressed, mode, vector, level);
  }

  /** Delivers to everybody, or everybody but one. */
  void broadcast(LocalApic sender, boolean includeSender, int mode, int vector, boolean level) {
    List<LocalApic> addressed = new ArrayList<>();
    for (LocalApic apic : apics) {
      if (apic.isEnabled() && (includeSender || apic != sender)) {
        addressed.add(apic);
      }
    }
    deliver(addressed, mode, vector, level);
  }

  private static void deliver(List<LocalApic> addressed, int mode, int vector, boolean level) {
    if (mode != LOWEST_PRIORITY) {
      for (LocalApic apic : addressed) {
        apic.receive(mode, vector, level);
      }
      return;
    }
    LocalApic lowest = null;
    for (LocalApic apic : addressed) {
      boolean better = lowest == null || apic.processorPriority() < lowest.processorPriority();
      if (apic.acceptsFixed() && better) {
        lowest = apic;
      }
    }
    if (lowest != null) {
      lowest.receive(FIXED, vector, level);
    }
  }
}
