package io.vmm4j.devices.pci;

import io.vmm4j.devices.pcitest.PciTestConfig;
import io.vmm4j.devices.pcitest.PciTestFactory;
import io.vmm4j.testkit.TestMachine;

/** A machine with a host bridge and a function for tests, and what a guest does to them. */
public final class PciMachine {
  /** Where configuration space is. */
  public static final long ECAM = HostBridgeConfig.DEFAULT.configuration();

  /** The function for tests. */
  public static final String PATH = "pci/00:03.0";

  static final int COMMAND = 4;
  static final int IO = 1;
  static final int MEMORY = 2;
  static final int BUS_MASTER = 4;
  static final int INTX_DISABLE = 1 << 10;
  static final int BAR0 = 0x10;
  static final int BAR2 = 0x18;
  static final int BAR3 = 0x1C;
  static final int BAR4 = 0x20;

  private PciMachine() {}

  /** A machine with a bus and nothing on it. */
  public static TestMachine.Builder bus() {
    return TestMachine.builder().device("pci", new HostBridgeFactory(), HostBridgeConfig.DEFAULT);
  }

  static TestMachine.Builder withFunction() {
    return bus().device(PATH, new PciTestFactory(), PciTestConfig.DEFAULT);
  }

  static long at(int device, int offset) {
    return ECAM + ((long) device << 15) + offset;
  }

  static int load(TestMachine machine, int device, int offset, int size) {
    return (int) machine.readMmio(at(device, offset), size);
  }

  static void store(TestMachine machine, int device, int offset, int size, long value) {
    machine.writeMmio(at(device, offset), size, value & (1L << 8 * size) - 1);
  }

  /** Gives the function for tests a place for each BAR, and has them decoded. */
  public static void setUp(TestMachine machine) {
    setUp(machine, 3, 0);
  }

  static void setUp(TestMachine machine, int device, long further) {
    store(machine, device, BAR0, 4, 0x0000_0000);
    store(machine, device, BAR0 + 4, 4, 0x80 + further);
    store(machine, device, BAR2, 4, 0xC000_0000L + (further << 20));
    store(machine, device, BAR3, 4, 0xC000 + (further << 8));
    store(machine, device, BAR4, 4, 0xC000_1000L + (further << 20));
    store(machine, device, COMMAND, 2, IO | MEMORY | BUS_MASTER);
  }

  /** Has it send a message that is masked. */
  public static void raiseMasked(TestMachine machine) {
    setUp(machine);
    machine.writeMmio(0xC000_1010L, 4, 0xFEE0_0000L);
    machine.writeMmio(0xC000_1018L, 4, 0x41);
    store(machine, 3, capability(machine, 3, 0x11) + 2, 2, 0x8000);
    machine.writeMmio(0xC000_0004L, 4, 1);
  }

  /** Where a capability is. */
  static int capability(TestMachine machine, int device, int id) {
    int at = load(machine, device, 0x34, 1);
    while (at != 0 && load(machine, device, at, 1) != id) {
      at = load(machine, device, at + 1, 1);
    }
    return at;
  }
}
