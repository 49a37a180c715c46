package io.vmm4j.snapshot;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORGenerator;
import com.fasterxml.jackson.dataformat.cbor.CBORParser;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * Fields as one CBOR map: text keys; integers of 64 bits with a sign, booleans, text, byte strings,
 * arrays and maps as values; no tags, no floating point, no null.
 */
final class CborFields {
  static final int MAX_DEPTH = 16;
  static final int MAX_TEXT_CHARS = 1 << 20;
  static final int MAX_NAME_CHARS = 256;

  private static final CBORFactory FACTORY =
      CBORFactory.builder()
          // Names come from anybody's file: they must not stay in tables that all share.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH + 1)
                  .maxStringLength(MAX_TEXT_CHARS)
                  .maxNameLength(MAX_NAME_CHARS)
                  .build())
          .build();

  /** How many more values a reader takes, so that many small ones can't fill the heap. */
  static final class Budget {
    private final int all;
    private int remaining;

    Budget(int values) {
      this.all = values;
      this.remaining = values;
    }

    /**
     * Takes some off.
     *
     * @throws SnapshotException.Incompatible if there are not so many
     */
    void take(int values) {
      remaining -= values;
      if (remaining < 0) {
        throw new SnapshotException.Incompatible("the number of values", "there are too many");
      }
    }

    /** How many were taken. */
    int taken() {
      return all - remaining;
    }
  }

  private CborFields() {}

  /**
   * The encoding of fields.
   *
   * @throws IllegalArgumentException if they are nested too deeply, or a text is too long or is not
   *     Unicode
   */
  static byte[] encode(FieldMap fields) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CBORGenerator generator = FACTORY.createGenerator(out)) {
      write(generator, fields, 1);
    } catch (IOException e) {
      throw new IllegalArgumentException("fields that can't be written: " + e.getMessage(), e);
    }
    return out.toByteArray();
  }

  private static void write(CBORGenerator generator, Object value, int depth) throws IOException {
    if (depth > MAX_DEPTH) {
      throw new IllegalArgumentException("fields are nested deeper than " + MAX_DEPTH);
    }
    switch (value) {
      case Long n -> generator.writeNumber(n.longValue());
      case Boolean b -> generator.writeBoolean(b);
      case byte[] bytes -> generator.writeBinary(bytes);
      case String text -> {
        if (text.length() > MAX_TEXT_CHARS) {
          throw new IllegalArgumentException("a text is longer than " + MAX_TEXT_CHARS);
        }
        generator.writeString(text);
      }
      case List<?> list -> {
        generator.writeStartArray(list, list.size());
        for (Object element : list) {
          write(generator, element, depth + 1);
        }
        generator.writeEndArray();
      }
      case FieldMap map -> {
        generator.writeStartObject(map, map.names().size());
        for (Map.Entry<String, Object> entry : map.asMap().entrySet()) {
          if (entry.getKey().length() > MAX_NAME_CHARS) {
            throw new IllegalArgumentException("a field's name is longer than " + MAX_NAME_CHARS);
          }
          generator.writeFieldName(entry.getKey());
          write(generator, entry.getValue(), depth + 1);
        }
        generator.writeEndObject();
      }
      default -> throw new IllegalArgumentException("not a field value: " + value.getClass());
    }
  }

  /**
   * The fields that an encoding stands for.
   *
   * @param offset where the bytes begin in the stream, for messages
   * @throws SnapshotException.Corrupt if it is not exactly one map of the form above
   */
  static FieldMap decode(byte[] bytes, long offset, Budget budget) {
    try (CBORParser parser = FACTORY.createParser(bytes)) {
      return new CborDecoder(parser, bytes, offset, budget).decode();
    } catch (IOException e) {
      throw new SnapshotException.Corrupt(offset, "not the CBOR of fields: " + firstLine(e));
    } catch (SnapshotException e) {
      throw e;
    } catch (RuntimeException e) {
      // Bytes from anybody: a parser's slip is no reason to let anything else out.
      throw new SnapshotException.Corrupt(offset, "not the CBOR of fields: " + e);
    }
  }

  private static String firstLine(IOException e) {
    String message = String.valueOf(e.getMessage());
    int end = message.indexOf('\n');
    return end < 0 ? message : message.substring(0, end);
  }
}
