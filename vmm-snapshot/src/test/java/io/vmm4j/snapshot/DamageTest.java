package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.fail;

import io.vmm4j.api.SnapshotCompression;
import io.vmm4j.api.SnapshotException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever happens to the bytes of a snapshot, a typed error says so. */
class DamageTest {

  /** Zeros, a fill page, one that shrinks and one that does not. */
  private static byte[] small(SnapshotCompression compression) throws IOException {
    MemorySegment ram = MemorySegment.ofArray(new long[5 * 512]);
    ram.asSlice(4096, 4096).fill((byte) 0x90);
    SampleSnapshot.fill(ram.asSlice(8192, 3 * 4096), 4);
    return SampleSnapshot.write(compression, ram, MemorySegment.ofArray(new long[2 * 512]));
  }

  @ParameterizedTest
  @EnumSource(SnapshotCompression.class)
  void everyTruncationIsNamedAsOneWithItsPlace(SnapshotCompression compression) throws IOException {
    // given
    byte[] whole = small(compression);

    for (int length = 0; length < whole.length; length++) {
      // when
      byte[] cut = Arrays.copyOf(whole, length);
      Throwable thrown = catchThrowable(() -> SampleSnapshot.read(cut));

      // then
      assertThat(thrown).isInstanceOf(SnapshotException.Truncated.class);
      assertThat(((SnapshotException.Truncated) thrown).offset()).isEqualTo(length);
    }
  }

  @ParameterizedTest
  @EnumSource(SnapshotCompression.class)
  void everyFlippedBitIsFound(SnapshotCompression compression) throws IOException {
    // given
    byte[] whole = small(compression);

    for (int at = 0; at < whole.length; at++) {
      for (int bit = 1; bit <= 0x80; bit <<= 1) {
        // when
        byte[] damaged = whole.clone();
        damaged[at] ^= (byte) bit;
        Throwable thrown = catchThrowable(() -> SampleSnapshot.read(damaged));

        // then
        assertThat(thrown).as("byte %d, bit %02x", at, bit).isInstanceOf(SnapshotException.class);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(SnapshotCompression.class)
  void everyFlippedByteUnderMendedChecksumsIsReadOrRefusedAndNothingElse(
      SnapshotCompression compression) throws Exception {
    // given
    byte[] whole = small(compression);
    List<int[]> strings = byteStrings(whole);
    int refused = 0;

    for (int[] string : strings) {
      for (int at = string[0]; at < string[0] + string[1]; at++) {
        for (int mask : new int[] {0x01, 0x20, 0x80, 0xFF}) {
          // when
          byte[] forged = whole.clone();
          forged[at] ^= (byte) mask;
          mend(forged, strings);
          try {
            SampleSnapshot.Read read = SampleSnapshot.read(forged);
            read.plan().requireState("vcpu", "vcpu/0").decode(MachineSchemas.CPU);
          } catch (SnapshotException e) {
            refused++;
          } catch (RuntimeException | Error e) {
            fail("byte %d, mask %02x".formatted(at, mask), e);
          }
        }
      }
    }

    // then
    assertThat(refused).isPositive();
  }

  /** Start and length of each byte string that a checksum follows. */
  private static List<int[]> byteStrings(byte[] snapshot) {
    List<int[]> strings = new ArrayList<>();
    int at = SnapshotFormat.MAGIC.length - 2;
    while (at < snapshot.length) {
      if (snapshot[at] == (byte) 0x84) {
        at++;
      }
      if (snapshot[at] == (byte) 0xD8) {
        at += 2;
      }
      int additional = snapshot[at++] & 0x1F;
      int length = additional;
      if (additional >= 24) {
        length = 0;
        for (int i = 0; i < 1 << (additional - 24); i++) {
          length = length << 8 | snapshot[at++] & 0xFF;
        }
      }
      strings.add(new int[] {at, length});
      at += length + 5;
    }
    return strings;
  }

  private static void mend(byte[] snapshot, List<int[]> strings) throws Exception {
    int[] footer = strings.get(strings.size() - 2);
    for (int[] string : strings.subList(0, strings.size() - 2)) {
      mendCrc(snapshot, string);
    }
    // The footer chunk begins before its header: array, tag and a length of one or two bytes.
    int start = footer[0];
    while (snapshot[start] != (byte) 0x84) {
      start--;
    }
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(snapshot, start));
    int[] body = strings.getLast();
    byte[] sha = "sha256".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    for (int at = body[0]; at < body[0] + body[1] - 40; at++) {
      if (Arrays.equals(Arrays.copyOfRange(snapshot, at, at + 6), sha)) {
        System.arraycopy(digest, 0, snapshot, at + 8, 32);
      }
    }
    mendCrc(snapshot, footer);
    mendCrc(snapshot, body);
  }

  private static void mendCrc(byte[] snapshot, int[] string) {
    int end = string[0] + string[1];
    int crc = Forgery.crc(Arrays.copyOfRange(snapshot, string[0], end));
    for (int i = 0; i < 4; i++) {
      snapshot[end + 1 + i] = (byte) (crc >> (24 - 8 * i));
    }
  }

  @Test
  void mendingAnUndamagedSnapshotChangesNothing() throws Exception {
    // given
    byte[] whole = small(SnapshotCompression.SMALL);

    // when
    byte[] mended = whole.clone();
    mend(mended, byteStrings(whole));

    // then
    assertThat(mended).isEqualTo(whole);
  }

  @Test
  void damageOfACompressedStreamAroundItIsATruncationWhereThatStreamEnds() throws IOException {
    // given
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
      gzip.write(small(SnapshotCompression.NONE));
    }
    byte[] cut = Arrays.copyOf(zipped.toByteArray(), zipped.size() / 2);

    // when, then
    assertThatThrownBy(
            () -> SampleSnapshot.read(new GZIPInputStream(new ByteArrayInputStream(cut))))
        .isInstanceOf(SnapshotException.Truncated.class);
  }

  @Test
  void anotherFileIsCalledWhatItIs() {
    assertThatThrownBy(() -> SampleSnapshot.read(new byte[100]))
        .isInstanceOf(SnapshotException.Corrupt.class)
        .hasMessageContaining("not a vmm4j snapshot");
  }

  @Test
  void damageInBlocksReadByOtherThreadsIsFoundAndNoThreadIsLeft() throws IOException {
    // given
    byte[] bytes =
        SampleSnapshot.write(
            SnapshotCompression.SMALL,
            SampleSnapshot.ram(32 << 20),
            SampleSnapshot.ram(SampleSnapshot.ROM_BYTES));
    bytes[bytes.length / 2] ^= 1;

    // when
    Throwable thrown = catchThrowable(() -> SampleSnapshot.read(bytes));

    // then
    assertThat(thrown).isInstanceOf(SnapshotException.Corrupt.class);
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().startsWith("vmm4j-snapshot-"));
  }
}
