package io.vmm4j.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORParser;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** The format needs nothing of ours to be read: a plain CBOR library walks it and checks it. */
class ForeignReaderTest {
  private static final CBORFactory CBOR = new CBORFactory();

  @Test
  void aPlainCborLibraryListsTheChunksAndChecksTheDigests() throws Exception {
    // given
    byte[] snapshot = SampleSnapshot.bytes(Compression.DEFLATE_FAST);
    List<String> kinds = new ArrayList<>();

    try (CBORParser items = CBOR.createParser(snapshot)) {
      // the prologue
      assertThat(items.nextToken()).isEqualTo(JsonToken.START_ARRAY);
      assertThat(items.getCurrentTag()).isEqualTo(55799);
      assertThat(items.nextTextValue()).isEqualTo("vmm4j-snapshot");
      assertThat(checked(items)).contains(Map.entry("major", 1), Map.entry("minor", 0));
      assertThat(items.nextToken()).isEqualTo(JsonToken.END_ARRAY);

      // when: the chunks
      long start = items.currentLocation().getByteOffset();
      Map<String, Object> footer = Map.of();
      while (items.nextToken() == JsonToken.START_ARRAY) {
        Map<String, Object> header = checked(items);
        kinds.add((String) header.get("kind"));
        if (header.get("kind").equals("memory")) {
          byte[] pages = bytes(items);
          assertThat(header).containsEntry("length", pages.length);
          assertThat(bytes(items)).isEqualTo(crc(pages));
        } else {
          footer = checked(items);
        }
        assertThat(items.nextToken()).isEqualTo(JsonToken.END_ARRAY);
        if (header.get("kind").equals("footer")) {
          break;
        }
        start = items.currentLocation().getByteOffset();
      }

      // then
      assertThat(kinds)
          .containsExactly("machine", "state", "state", "mapping", "memory", "memory", "footer");
      assertThat(footer).containsEntry("chunks", 6).containsEntry("bytes", (int) start);
      assertThat(footer.get("sha256"))
          .isEqualTo(
              MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(snapshot, (int) start)));
      assertThat(items.nextToken()).as("nothing follows").isNull();
    }
  }

  /** The map in a byte string of tag 24, which a checksum follows. */
  private static Map<String, Object> checked(CBORParser items) throws IOException {
    byte[] encoded = bytes(items);
    assertThat(items.getCurrentTag()).isEqualTo(24);
    assertThat(bytes(items)).isEqualTo(crc(encoded));
    Map<String, Object> map = new LinkedHashMap<>();
    try (JsonParser parser = CBOR.createParser(encoded)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        switch (parser.nextToken()) {
          case VALUE_NUMBER_INT -> map.put(name, parser.getNumberValue());
          case VALUE_EMBEDDED_OBJECT -> map.put(name, parser.getBinaryValue());
          case VALUE_STRING -> map.put(name, parser.getText());
          default -> parser.skipChildren();
        }
      }
    }
    return map;
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
