package io.vmm4j.api.pci;

import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.DeviceMemoryMapping;
import io.vmm4j.api.device.GuestAccess;
import java.util.ArrayList;
import java.util.List;

/** A base address register and what it moves. */
final class Bar {
  private static final long OFF = -1;

  /** Something that lies where the register says. */
  private interface Content {
    void moveTo(long base);

    void hide();
  }

  private final int index;
  private final BarKind kind;
  private final long size;
  private final List<Content> contents = new ArrayList<>();
  private long place = OFF;

  Bar(int index, BarKind kind, long size) {
    this.index = index;
    this.kind = kind;
    this.size = size;
  }

  int offset() {
    return PciRegisters.BARS + 4 * index;
  }

  BarKind kind() {
    return kind;
  }

  long size() {
    return size;
  }

  /** The bits that a guest can write: all but those below its size. */
  long writable() {
    long mask = -size;
    return kind == BarKind.IO ? mask & 0xFFFF_FFFCL : kind.isWide() ? mask : mask & 0xFFFF_FFF0L;
  }

  void add(long offset, AddressClaim claim) {
    contents.add(
        new Content() {
          @Override
          public void moveTo(long base) {
            claim.moveTo(base + offset);
          }

          @Override
          public void hide() {
            claim.disable();
          }
        });
  }

  void add(long offset, DeviceMemoryMapping mapping, GuestAccess access) {
    contents.add(
        new Content() {
          @Override
          public void moveTo(long base) {
            mapping.remap(base + offset, access);
          }

          @Override
          public void hide() {
            mapping.remap(mapping.guestPhysicalAddress(), GuestAccess.OFF);
          }
        });
  }

  /** Follows the register and the command register. */
  void follow(long register, boolean decoded) {
    long wanted = decoded ? register & writable() : OFF;
    if (wanted == place) {
      return;
    }
    place = wanted;
    for (Content content : contents) {
      // Addresses above all that there are count as negative, and are seen nowhere.
      if (wanted == OFF) {
        content.hide();
      } else {
        content.moveTo(wanted);
      }
    }
  }

  /** Forgets where things are: a machine that is restored has put them somewhere itself. */
  void forget() {
    place = Long.MIN_VALUE;
  }
}
