package io.vmm4j.devices.vmgenid;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PortHandler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import java.util.UUID;

/**
 * The VM generation id (Microsoft, "Virtual Machine Generation ID"): a GUID in memory that the
 * guest can only read. It changes when the machine is restored as a clone, and only then. The
 * change is an event that waits, with its line asserted, until the guest writes 1 to the status
 * port: one that comes before there is a driver is not lost.
 */
final class VmGenerationId implements DeviceModel<VmGenerationIdState>, PortHandler {
  private static final String NAME = "VGEN";
  private static final int ID_CHANGED = 0x80;
  private static final int PENDING = 1;

  private final VmGenerationIdConfig config;
  private final InterruptLine line;
  private final DeviceMemory memory;
  private boolean changePending;

  VmGenerationId(VmGenerationIdConfig config, DeviceContext machine) {
    this.config = config;
    line = machine.interruptLine(config.irq());
    machine.claimPorts(config.port(), 1, AccessWidth.BYTE, this);
    machine.describe(new PlatformFact.GenerationId(NAME, config.address()));
    machine.describe(
        new PlatformFact.EventInterrupt(NAME, ID_CHANGED, config.irq(), config.port()));
    memory = machine.deviceMemory("vmgenid", MemorySize.kibibytes(4));
    if (!machine.restoring()) {
      memory.write(0, bytes(firstId(machine.randomSeed())));
    }
  }

  private UUID firstId(long randomSeed) {
    if (!config.id().isEmpty()) {
      return UUID.fromString(config.id());
    }
    SplittableRandom random = new SplittableRandom(randomSeed);
    return new UUID(random.nextLong(), random.nextLong());
  }

  /** A GUID as Microsoft's structure has it: the first three fields are little-endian. */
  private static byte[] bytes(UUID id) {
    long first = id.getMostSignificantBits();
    return ByteBuffer.allocate(16)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt((int) (first >> 32))
        .putShort((short) (first >> 16))
        .putShort((short) first)
        .order(ByteOrder.BIG_ENDIAN)
        .putLong(id.getLeastSignificantBits())
        .array();
  }

  private void map() {
    memory.map(config.address(), GuestAccess.READ_ONLY);
  }

  private void setPending(boolean pending) {
    changePending = pending;
    line.set(pending);
  }

  /** The id stays: a guest that restarts is no clone. */
  @Override
  public void reset() {
    map();
    setPending(false);
  }

  @Override
  public int read(int offset, int size) {
    return changePending ? PENDING : 0;
  }

  @Override
  public void write(int offset, int size, int value) {
    if ((value & PENDING) != 0) {
      setPending(false);
    }
  }

  @Override
  public VmGenerationIdState save() {
    return new VmGenerationIdState(changePending);
  }

  @Override
  public void restore(VmGenerationIdState state) {
    map();
    setPending(state.changePending());
  }

  @Override
  public void becomeClone(UUID identity) {
    memory.write(0, bytes(identity));
    setPending(true);
  }
}
