package io.vmm4j.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORParser;
import io.vmm4j.api.SnapshotCompression;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The format needs nothing of ours to be read: a plain CBOR library walks it and checks it. */
class ForeignReaderTest {
  private static final CBORFactory CBOR = new CBORFactory();

  /** What the memory chunks say, laid over one another. */
  private final Map<String, byte[]> memory = new TreeMap<>();

  private final List<String> kinds = new ArrayList<>();
  private Map<String, Object> prologue = Map.of();
  private Map<String, Object> footer = Map.of();

  @ParameterizedTest
  @EnumSource(SnapshotCompression.class)
  void aPlainCborLibraryListsTheChunksAndChecksTheDigests(SnapshotCompression compression)
      throws Exception {
    // when
    read(SampleSnapshot.bytes(compression));

    // then
    assertThat(prologue).contains(Map.entry("major", 1), Map.entry("minor", 0));
    assertThat(kinds)
        .containsExactly("machine", "state", "state", "mapping", "memory", "memory", "footer");
    assertThat(footer).containsEntry("chunks", 6);
    assertThat(memory.get("ram"))
        .isEqualTo(SampleSnapshot.ram(SampleSnapshot.RAM_BYTES).toArray(ValueLayout.JAVA_BYTE));
    assertThat(footer.get("memorySha256")).isEqualTo(memoryDigest());
  }

  @Test
  void itReadsAChainOfDeltasToo() throws Exception {
    // given
    Chain chain = new Chain(SnapshotCompression.SMALL, (4 << 20) + 3 * 4096);
    SampleSnapshot.fill(chain.memory.get("ram"), 3);
    chain.snapshot();
    chain.addRegion("device:d/m", 3 * 4096);
    chain.touch("device:d/m", 1).fill((byte) 1);
    chain.touch("ram", 1026).fill((byte) 0);
    SampleSnapshot.fill(chain.touch("ram", 1), 8);
    chain.snapshot();

    for (Chain.Link link : chain.links) {
      // when
      byte[] parentDigest = memoryDigest();
      Object parentId = prologue.get("id");
      read(link.bytes());

      // then
      assertThat(footer.get("memorySha256")).isEqualTo(memoryDigest());
      if (prologue.containsKey("parentId")) {
        assertThat(prologue.get("parentId")).isEqualTo(parentId);
        assertThat(prologue.get("parentSha256")).isEqualTo(parentDigest);
      }
    }
    chain.memory.forEach((region, expected) ->
        assertThat(memory.get(region)).isEqualTo(expected.toArray(ValueLayout.JAVA_BYTE)));
  }

  @Test
  void itReadsTheMappedLayoutToo() throws Exception {
    // given
    MemorySegment ram = SampleSnapshot.ram(SampleSnapshot.RAM_BYTES);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotWriter writer = SnapshotWriter.mapped(out)) {
      writer.prologue(SampleSnapshot.PROLOGUE);
      writer.machine(SampleSnapshot.machine(ram.byteSize()));
      writer.memory("ram", MemorySource.of(ram));
      writer.memory(SampleSnapshot.ROM, MemorySource.of(ram.asSlice(0, 8192)));
      writer.finish();
    }

    // when
    read(out.toByteArray());

    // then
    assertThat(kinds).containsExactly("machine", "padding", "memory-image", "footer");
    assertThat(prologue).containsEntry("features", List.of("mapped"));
    assertThat(memory.get("ram")).isEqualTo(ram.toArray(ValueLayout.JAVA_BYTE));
    assertThat(footer.get("memorySha256")).isEqualTo(memoryDigest());
  }

  private void read(byte[] snapshot) throws Exception {
    try (CBORParser items = CBOR.createParser(snapshot)) {
      assertThat(items.nextToken()).isEqualTo(JsonToken.START_ARRAY);
      assertThat(items.getCurrentTag()).isEqualTo(55799);
      assertThat(items.nextTextValue()).isEqualTo("vmm4j-snapshot");
      prologue = checked(items);
      assertThat(items.nextToken()).isEqualTo(JsonToken.END_ARRAY);

      long start = items.currentLocation().getByteOffset();
      while (items.nextToken() == JsonToken.START_ARRAY) {
        Map<String, Object> header = checked(items);
        String kind = (String) header.get("kind");
        kinds.add(kind);
        if (kind.equals("memory")) {
          byte[] pages = bytes(items);
          assertThat(header).containsEntry("length", pages.length);
          assertThat(bytes(items)).isEqualTo(crc(pages));
          block(header, pages);
        } else if (kind.equals("memory-image")) {
          long position = items.currentLocation().getByteOffset() + 5;
          byte[] image = bytes(items);
          assertThat(position % 4096).as("where the image begins").isZero();
          assertThat(bytes(items)).isEqualTo(crc(image));
          for (Object place : (List<?>) header.get("regions")) {
            Map<?, ?> fields = (Map<?, ?>) place;
            int offset = (int) fields.get("offset");
            memory.put(
                (String) fields.get("region"),
                Arrays.copyOfRange(image, offset, offset + (int) fields.get("bytes")));
          }
        } else if (kind.equals("padding")) {
          byte[] padding = bytes(items);
          assertThat(bytes(items)).isEqualTo(crc(padding));
        } else {
          Map<String, Object> body = checked(items);
          if (kind.equals("machine")) {
            for (Object region : (List<?>) body.get("regions")) {
              Map<?, ?> fields = (Map<?, ?>) region;
              memory.putIfAbsent((String) fields.get("name"), new byte[(int) fields.get("bytes")]);
            }
          }
          footer = body;
        }
        assertThat(items.nextToken()).isEqualTo(JsonToken.END_ARRAY);
        if (kind.equals("footer")) {
          break;
        }
        start = items.currentLocation().getByteOffset();
      }
      assertThat(footer).containsEntry("bytes", (int) start);
      assertThat(footer.get("sha256"))
          .isEqualTo(
              MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(snapshot, (int) start)));
      assertThat(items.nextToken()).as("nothing follows").isNull();
    }
  }

  private void block(Map<String, Object> header, byte[] body) throws DataFormatException {
    byte[] region = memory.get((String) header.get("region"));
    byte[] plain = body;
    if (header.get("compression").equals("lz4")) {
      plain = lz4(body);
    } else if (header.get("compression").equals("deflate")) {
      plain = new byte[2 << 20];
      try (Inflater inflater = new Inflater(true)) {
        inflater.setInput(body);
        inflater.inflate(plain);
      }
    }
    int page = (int) header.get("offset");
    int from = 0;
    List<?> runs = (List<?>) header.get("pages");
    for (int i = 0; i < runs.size(); i += 2) {
      for (int n = (int) runs.get(i + 1); n > 0; n--) {
        int stored = new int[] {0, 8, 4096, 0}[(int) runs.get(i)];
        for (int at = 0; at < 4096 && (int) runs.get(i) != 3; at++) {
          region[page + at] = stored == 0 ? 0 : plain[from + at % stored];
        }
        from += stored;
        page += 4096;
      }
    }
  }

  /** The block format of LZ4: literals, and copies of what was before. */
  private static byte[] lz4(byte[] packed) {
    byte[] plain = new byte[2 << 20];
    int to = 0;
    for (int at = 0; at < packed.length; ) {
      int token = packed[at++] & 0xFF;
      int literals = token >> 4;
      for (int more = literals == 15 ? 255 : 0; more == 255; literals += more) {
        more = packed[at++] & 0xFF;
      }
      System.arraycopy(packed, at, plain, to, literals);
      at += literals;
      to += literals;
      if (at < packed.length) {
        int back = packed[at++] & 0xFF | (packed[at++] & 0xFF) << 8;
        int length = token & 15;
        for (int more = length == 15 ? 255 : 0; more == 255; length += more) {
          more = packed[at++] & 0xFF;
        }
        for (int end = to + length + 4; to < end; to++) {
          plain[to] = plain[to - back];
        }
      }
    }
    return plain;
  }

  /** The digest of the memory as docs/snapshot-format.md describes it. */
  private byte[] memoryDigest() throws Exception {
    MessageDigest root = MessageDigest.getInstance("SHA-256");
    // The names here are ASCII, whose order is that of their bytes.
    for (Map.Entry<String, byte[]> region : memory.entrySet()) {
      byte[] name = region.getKey().getBytes(UTF_8);
      root.update(ByteBuffer.allocate(4).putInt(name.length).array());
      root.update(name);
      byte[] contents = region.getValue();
      root.update(ByteBuffer.allocate(8).putLong(contents.length).array());
      for (int block = 0; block << 21 < contents.length; block++) {
        MessageDigest leaf = MessageDigest.getInstance("SHA-256");
        boolean zeros = true;
        int end = Math.min(contents.length, (block + 1) << 21);
        for (int at = block << 21; at < end; at += 4096) {
          if (!Arrays.equals(contents, at, at + 4096, new byte[4096], 0, 4096)) {
            leaf.update(ByteBuffer.allocate(4).putInt((at >> 12) - (block << 9)).array());
            leaf.update(contents, at, 4096);
            zeros = false;
          }
        }
        if (!zeros) {
          root.update(ByteBuffer.allocate(8).putLong(block).array());
          root.update(leaf.digest());
        }
      }
      root.update(ByteBuffer.allocate(8).putLong(-1).array());
    }
    return root.digest();
  }

  /** The map in a byte string of tag 24, which a checksum follows. */
  private static Map<String, Object> checked(CBORParser items) throws IOException {
    byte[] encoded = bytes(items);
    assertThat(items.getCurrentTag()).isEqualTo(24);
    assertThat(bytes(items)).isEqualTo(crc(encoded));
    try (JsonParser parser = CBOR.createParser(encoded)) {
      parser.nextToken();
      return map(parser);
    }
  }

  private static Map<String, Object> map(JsonParser parser) throws IOException {
    Map<String, Object> map = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      map.put(name, value(parser));
    }
    return map;
  }

  private static Object value(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> map(parser);
      case START_ARRAY -> {
        List<Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(parser));
        }
        yield list;
      }
      case VALUE_EMBEDDED_OBJECT -> parser.getBinaryValue();
      case VALUE_STRING -> parser.getText();
      case VALUE_TRUE, VALUE_FALSE -> parser.getBooleanValue();
      default -> parser.getNumberValue();
    };
  }

  private static byte[] bytes(CBORParser items) throws IOException {
    assertThat(items.nextToken()).isEqualTo(JsonToken.VALUE_EMBEDDED_OBJECT);
    return items.getBinaryValue();
  }

  private static byte[] crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    int value = (int) crc.getValue();
    return new byte[] {
      (byte) (value >> 24), (byte) (value >> 16), (byte) (value >> 8), (byte) value
    };
  }
}
