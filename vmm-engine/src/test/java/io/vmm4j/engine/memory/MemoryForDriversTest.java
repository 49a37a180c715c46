package io.vmm4j.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.api.memory.ScatterGather;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What drivers of rings and buffers get: ordered, in place, checked, and known to have been
 * written.
 */
class MemoryForDriversTest {
  private static final long RAM = 1 << 20;
  private static final long ROM = RAM + 8192;

  private final List<String> written = new ArrayList<>();
  private final MachineMemory memory = MachineMemory.allocate(HostRoom.ofThisHost(), RAM, 0);
  private final PhysicalMemoryMap map = new PhysicalMemoryMap();
  private final MappedGuestMemory guest =
      new MappedGuestMemory(map, memory, (offset, length) -> written.add(offset + "+" + length));

  @BeforeEach
  void addMemory() {
    map.add(MemoryRange.ram(0, RAM / 2, 0));
    map.add(MemoryRange.ram(RAM / 2, RAM / 2 - 4096, RAM / 2 + 4096));
    map.add(
        new MemoryRange(
            "rom", ROM, 4096, 0, false, new Precedence(Precedence.Kind.MAPPING, 0, 0, "rom")));
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void orderedAccessesAreAlignedAndKnownToHaveBeenWritten() {
    guest.writeShortRelease(0x100, 0x1_FFFE);
    guest.writeIntRelease(0x104, 0x8765_4321);
    guest.writeLongRelease(0x108, 0x8123_4567_89AB_CDEFL);
    assertThat(guest.readShortAcquire(0x100)).isEqualTo(0xFFFE);
    assertThat(guest.readIntAcquire(0x104)).isEqualTo(0x8765_4321);
    assertThat(guest.readLongAcquire(0x108)).isEqualTo(0x8123_4567_89AB_CDEFL);
    assertThat(guest.readByte(0x104)).as("little-endian").isEqualTo(0x21);
    assertThat(written).containsExactly("256+2", "260+4", "264+8");
    for (long address : new long[] {0x101, 0x102 - (1L << 60), RAM, -2}) {
      assertThatThrownBy(() -> guest.readShortAcquire(address))
          .isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> guest.writeLongRelease(address, 1))
          .isInstanceOf(GuestMemoryException.class);
    }
    assertThat(guest.readShortAcquire(ROM)).isZero();
    assertThatThrownBy(() -> guest.writeIntRelease(ROM, 1))
        .isInstanceOf(GuestMemoryException.class);
  }

  @Test
  void anIndexThatIsReleasedBringsAllThatWasStoredBefore() throws InterruptedException {
    int rounds = 200_000;
    Thread driver =
        Thread.ofPlatform()
            .start(() -> {
              for (int i = 1; i <= rounds; i++) {
                guest.writeInt(0x2000 + 4 * (i % 64), i);
                guest.writeIntRelease(0x1000, i);
                while (guest.readIntAcquire(0x1004) != i) {
                  Thread.onSpinWait();
                }
              }
            });
    int lost = 0;
    for (int i = 1; i <= rounds; i++) {
      while (guest.readIntAcquire(0x1000) != i) {
        Thread.onSpinWait();
      }
      lost += guest.readInt(0x2000 + 4 * (i % 64)) == i ? 0 : 1;
      guest.writeIntRelease(0x1004, i);
    }
    driver.join();
    assertThat(lost).isZero();
  }

  @Test
  void memoryIsReadAndWrittenInPlacePieceByPiece() throws IOException {
    List<Long> pieces = new ArrayList<>();
    guest.writeInPlace(
        RAM / 2 - 16,
        48,
        piece -> {
          pieces.add(piece.byteSize());
          piece.fill((byte) 0x5A);
        });
    assertThat(pieces).containsExactly(16L, 32L);
    assertThat(written).containsExactly((RAM / 2 - 16) + "+16", (RAM / 2 + 4096) + "+32");
    byte[] copy = new byte[48];
    int[] done = {0};
    guest.readInPlace(
        RAM / 2 - 16,
        48,
        piece -> {
          assertThat(piece.isReadOnly()).isTrue();
          byte[] bytes = piece.toArray(ValueLayout.JAVA_BYTE);
          System.arraycopy(bytes, 0, copy, done[0], bytes.length);
          done[0] += bytes.length;
        });
    assertThat(copy).containsOnly(0x5A);
  }

  @Test
  void aWriterThatFailsHasWrittenAllTheSame() {
    assertThatThrownBy(() ->
            guest.writeInPlace(
                0x3000,
                8192,
                piece -> {
                  throw new IOException("no more");
                }))
        .isInstanceOf(IOException.class);
    assertThat(written).containsExactly(0x3000 + "+8192");
    written.clear();
    assertThatThrownBy(() -> guest.writeInPlace(ROM, 8, piece -> piece.fill((byte) 1)))
        .isInstanceOf(GuestMemoryException.class);
    assertThatThrownBy(() -> guest.readInPlace(RAM - 4096 - 8, 16, piece -> {}))
        .isInstanceOf(GuestMemoryException.class);
    assertThat(written).isEmpty();
  }

  @Test
  void scatteredBuffersAreOneRowOfBytesAndBounded() throws IOException {
    ScatterGather buffers = new ScatterGather(guest, ScatterGather.Use.WRITTEN, 100);
    buffers.add(0x5000, 10);
    buffers.add(0x4000, 0);
    buffers.add(0x4000, 20);
    buffers.add(0x6000, 30);
    byte[] source = new byte[60];
    for (int i = 0; i < source.length; i++) {
      source[i] = (byte) i;
    }
    buffers.write(0, source, 0, source.length);
    assertThat(guest.readByte(0x5009)).isEqualTo(9);
    assertThat(guest.readByte(0x4000)).isEqualTo(10);
    assertThat(guest.readByte(0x6000)).isEqualTo(30);
    byte[] middle = new byte[30];
    buffers.read(5, middle, 0, 30);
    assertThat(middle[0]).isEqualTo((byte) 5);
    assertThat(middle[29]).isEqualTo((byte) 34);
    List<Long> pieces = new ArrayList<>();
    buffers.readInPlace(8, 25, piece -> pieces.add(piece.byteSize()));
    assertThat(pieces).containsExactly(2L, 20L, 3L);
    assertThatThrownBy(() -> buffers.read(50, middle, 0, 11))
        .isInstanceOf(IndexOutOfBoundsException.class);
    for (long[] bad :
        new long[][] {
          {0x5000, 41}, {0x5000, -1}, {ROM, 1}, {RAM - 4096, 1}, {-8, 8}, {Long.MAX_VALUE, 2}
        }) {
      assertThatThrownBy(() -> buffers.add(bad[0], bad[1]))
          .isInstanceOf(GuestMemoryException.class);
    }
    assertThat(buffers.length()).isEqualTo(60);
    ScatterGather read = new ScatterGather(guest, ScatterGather.Use.READ, 100);
    read.add(ROM, 16);
    assertThatThrownBy(() -> read.write(0, source, 0, 1)).isInstanceOf(IllegalStateException.class);
  }
}
