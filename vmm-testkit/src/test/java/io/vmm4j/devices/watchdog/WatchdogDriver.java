package io.vmm4j.devices.watchdog;

import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.testkit.TestMachine;

/** The guest's driver of a watchdog at {@link PciMachine#PATH}, as Linux's i6300esb does it. */
public final class WatchdogDriver {
  private static final long CONFIGURATION = PciMachine.ECAM + (3 << 15);
  private static final long BAR = 0xC000_0000L;

  private final TestMachine machine;

  /** Has the BAR decoded. */
  public WatchdogDriver(TestMachine machine) {
    this.machine = machine;
    machine.writeMmio(CONFIGURATION + 0x10, 4, BAR);
    machine.writeMmio(CONFIGURATION + 4, 2, 2);
  }

  /** Writes the configuration register. */
  public void configure(int value) {
    machine.writeMmio(CONFIGURATION + 0x60, 2, value);
  }

  /** Writes the lock register. */
  public void lock(int value) {
    machine.writeMmio(CONFIGURATION + 0x68, 1, value);
  }

  int locked() {
    return (int) machine.readMmio(CONFIGURATION + 0x68, 1);
  }

  /** Sets both stages, in ticks. */
  public void preload(int first, int second) {
    unlocked(0, 4, first);
    unlocked(4, 4, second);
  }

  /** Keeps it quiet. */
  void reload() {
    unlocked(0xC, 2, 0x100);
  }

  void unlocked(int offset, int size, int value) {
    store(0xC, 2, 0x80);
    store(0xC, 2, 0x86);
    store(offset, size, value);
  }

  /** A store to a register. */
  public void store(int offset, int size, int value) {
    machine.writeMmio(BAR + offset, size, value);
  }

  int load(int offset) {
    return (int) machine.readMmio(BAR + offset, 2);
  }
}
