package io.vmm4j.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.memory.GuestMemoryException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Memory that a guest needs no more. */
class DiscardTest {
  private static final int PAGE = 4096;
  private static final int PAGES = 64;

  private final MachineMemory memory =
      MachineMemory.allocate(HostRoom.ofThisHost(), (long) PAGES * PAGE, 0);
  private final List<String> released = new ArrayList<>();
  private final List<String> written = new ArrayList<>();
  private boolean takes;
  private final MappedGuestMemory guest = guest();

  private MappedGuestMemory guest() {
    PhysicalMemoryMap map = new PhysicalMemoryMap();
    map.add(MemoryRange.ram(0, (long) PAGES * PAGE, 0));
    return new MappedGuestMemory(
        map,
        memory,
        (offset, length) -> {
          memory.dirty().mark(offset, length);
          written.add(offset / PAGE + "+" + length);
        },
        (offset, length, shared) -> {
          released.add(offset / PAGE + "+" + length / PAGE + (shared ? " shared" : ""));
          if (takes) {
            memory.segment().asSlice(offset, length).fill((byte) 0);
          }
          return takes;
        });
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private void fill(int page, int count) {
    byte[] bytes = new byte[count * PAGE];
    Arrays.fill(bytes, (byte) 7);
    guest.write((long) page * PAGE, bytes);
    written.clear();
  }

  @Test
  void wholePagesGoBackAndTheRestBecomesZeros() {
    takes = true;
    fill(10, 4);
    guest.discard(10L * PAGE + 100, 3L * PAGE);
    assertThat(released).containsExactly("11+2 shared");
    assertThat(guest.read(10L * PAGE + 100, 3 * PAGE)).containsOnly(0);
    assertThat(guest.read(10L * PAGE, 100)).containsOnly(7);
    assertThat(guest.read(13L * PAGE + 100, PAGE - 100)).containsOnly(7);
    assertThat(written).contains("11+" + 2 * PAGE);
  }

  @Test
  void whatTheHostDoesNotTakeBecomesZeros() {
    fill(10, 40);
    guest.discard(10L * PAGE, 40L * PAGE);
    assertThat(guest.read(10L * PAGE, 40 * PAGE)).containsOnly(0);
    assertThat(written).containsExactly("10+" + 40 * PAGE);
  }

  @Test
  void pagesThatWereNeverWrittenAreLeftAlone() {
    takes = true;
    fill(20, 1);
    guest.discard(10L * PAGE, 20L * PAGE);
    assertThat(released).containsExactly("20+1 shared");
    assertThat(written).containsExactly("20+" + PAGE);
  }

  @Test
  void whatWasGivenBackIsReadAsItIsWrittenAgain() throws IOException {
    takes = true;
    fill(10, 4);
    guest.discard(10L * PAGE, 4L * PAGE);
    fill(11, 1);
    byte[] all = new byte[4 * PAGE];
    memory.read(10L * PAGE, all, all.length);
    assertThat(Arrays.copyOfRange(all, 0, PAGE)).containsOnly(0);
    assertThat(Arrays.copyOfRange(all, PAGE, 2 * PAGE)).containsOnly(7);
    assertThat(Arrays.copyOfRange(all, 2 * PAGE, 4 * PAGE)).containsOnly(0);
  }

  @Test
  void memoryThatIsNotThereIsAnError() {
    assertThatThrownBy(() -> guest.discard(60L * PAGE, 5L * PAGE))
        .isInstanceOf(GuestMemoryException.class);
    guest.discard(0, 0);
    assertThat(released).isEmpty();
  }
}
