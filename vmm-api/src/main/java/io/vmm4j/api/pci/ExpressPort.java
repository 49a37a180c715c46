package io.vmm4j.api.pci;

/**
 * The PCI Express capability of a root port with a hot-plug slot (PCI Express 3.0, 7.8 and 6.7): no
 * power controller, no attention button, and devices that may be pulled out.
 */
final class ExpressPort {
  static final int BYTES = 60;

  private static final int FLAGS = 2;
  private static final int DEVICE_CAPABILITIES = 4;
  private static final int DEVICE_CONTROL = 8;
  private static final int DEVICE_STATUS = 10;
  private static final int LINK_CAPABILITIES = 12;
  private static final int LINK_CONTROL = 16;
  private static final int LINK_STATUS = 18;
  private static final int SLOT_CAPABILITIES = 20;
  private static final int SLOT_CONTROL = 24;
  private static final int SLOT_STATUS = 26;
  private static final int ROOT_CONTROL = 28;
  private static final int ROOT_STATUS = 32;
  private static final int LINK_CAPABILITIES_2 = 44;

  /** Version 2, root port, with a slot. */
  private static final int ROOT_PORT_WITH_SLOT = 0x0142;

  private static final int ONE_LANE_OF_THE_FIRST_SPEED = 0x11;
  private static final int REPORTS_LINK_ACTIVE = 1 << 20;
  private static final int LINK_ACTIVE = 1 << 13;
  private static final int SURPRISE = 1 << 5;
  private static final int HOT_PLUG = 1 << 6;
  private static final int NO_COMMAND_COMPLETED = 1 << 18;
  private static final int SLOT_NUMBER_SHIFT = 19;

  private static final int PRESENCE_CHANGED = 1 << 3;
  private static final int PRESENT = 1 << 6;
  private static final int LINK_CHANGED = 1 << 8;
  private static final int HOT_PLUG_INTERRUPT = 1 << 5;
  private static final int LINK_CHANGED_ENABLE = 1 << 12;

  private final PciRegisters registers;
  private final int at;

  /** Puts the capability at an offset, behind its header. */
  ExpressPort(PciRegisters registers, int at, int slot) {
    this.registers = registers;
    this.at = at;
    registers.define(at + FLAGS, 2, ROOT_PORT_WITH_SLOT, 0, 0);
    registers.define(at + DEVICE_CAPABILITIES, 4, 1 << 15, 0, 0);
    registers.define(at + DEVICE_CONTROL, 2, 0, 0x7FFF, 0);
    registers.define(at + DEVICE_STATUS, 2, 0, 0, 0x0F);
    registers.define(
        at + LINK_CAPABILITIES,
        4,
        ONE_LANE_OF_THE_FIRST_SPEED | REPORTS_LINK_ACTIVE | (long) slot << 24,
        0,
        0);
    registers.define(at + LINK_CONTROL, 2, 0, 0x01CB, 0);
    registers.define(at + LINK_STATUS, 2, ONE_LANE_OF_THE_FIRST_SPEED, 0, 0);
    registers.define(
        at + SLOT_CAPABILITIES,
        4,
        SURPRISE | HOT_PLUG | NO_COMMAND_COMPLETED | (long) slot << SLOT_NUMBER_SHIFT,
        0,
        0);
    registers.define(at + SLOT_CONTROL, 2, 0, 0x1FFF, 0);
    registers.define(at + SLOT_STATUS, 2, 0, 0, PRESENCE_CHANGED | LINK_CHANGED | 0x13);
    registers.define(at + ROOT_CONTROL, 2, 0, 0x1F, 0);
    registers.define(at + ROOT_STATUS, 4, 0, 0, 1 << 16);
    registers.define(at + LINK_CAPABILITIES_2, 4, 1 << 1, 0, 0);
  }

  /** Says whether there is a device in the slot, and whether that is news. */
  void setPresent(boolean present, boolean changed) {
    long link = registers.get(at + LINK_STATUS, 2) & ~LINK_ACTIVE;
    registers.set(at + LINK_STATUS, 2, link | (present ? LINK_ACTIVE : 0));
    long status = registers.get(at + SLOT_STATUS, 2) & ~PRESENT;
    registers.set(
        at + SLOT_STATUS,
        2,
        status | (present ? PRESENT : 0) | (changed ? PRESENCE_CHANGED | LINK_CHANGED : 0));
  }

  /** Whether the guest is to be interrupted for what it has not taken notice of. */
  boolean wantsInterrupt() {
    int status = (int) registers.get(at + SLOT_STATUS, 2);
    int control = (int) registers.get(at + SLOT_CONTROL, 2);
    boolean presence = (status & control & PRESENCE_CHANGED) != 0;
    boolean link = (status & LINK_CHANGED) != 0 && (control & LINK_CHANGED_ENABLE) != 0;
    return (control & HOT_PLUG_INTERRUPT) != 0 && (presence || link);
  }
}
