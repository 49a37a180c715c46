package io.vmm4j.control.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads a line of the control protocol. Whatever the bytes are, the result says what they ask for
 * or what is wrong with them; nothing is thrown. Safe for any thread.
 *
 * <p>No memory is used beyond a small multiple of the line, whose length the caller bounds; how
 * deep JSON may nest and how long a number may be is bounded here.
 */
public final class RequestParser {
  /** How deep JSON may nest. No request nests at all, but what is wrong should be told. */
  public static final int MAX_DEPTH = 16;

  /** How many digits a number may have: 2^64 has 20. */
  public static final int MAX_DIGITS = 20;

  /** How many fields an object may have. */
  public static final int MAX_FIELDS = 32;

  private static final int MOST_PORT = 65535;
  private static final String COMMAND = "command";
  private static final String FILE = "file";

  private final JsonFactory json;
  private final int dumpBytes;

  /**
   * A parser.
   *
   * @param lineBytes the longest line it will be given
   * @param dumpBytes the most memory that one request may ask to see
   */
  public RequestParser(int lineBytes, int dumpBytes) {
    this.dumpBytes = dumpBytes;
    this.json =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNumberLength(MAX_DIGITS)
                    .maxStringLength(lineBytes)
                    .maxNameLength(lineBytes)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            // Names come from clients: none is to be remembered.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();
  }

  /** Reads a line, without its line feed. */
  public Request.Line parse(byte[] line) {
    RequestId id = new RequestId.Absent();
    try {
      Fields fields = new Fields(object(line));
      id = id(fields);
      String command = fields.text(COMMAND);
      Request request = request(command, fields);
      fields.end(command);
      return new Request.Line.Good(id, request);
    } catch (Fields.Fault e) {
      return new Request.Line.Bad(id, e.type(), String.valueOf(e.getMessage()));
    }
  }

  private Request request(String command, Fields fields) throws Fields.Fault {
    return switch (command) {
      case "status" -> new Request.Status();
      case "pause" -> new Request.Pause();
      case "resume" -> new Request.Resume();
      case "snapshot" -> snapshot(fields);
      case "restore" -> new Request.Restore(file(fields));
      case "console" ->
          new Request.Console(fields.optionalText("device").orElse(Request.DEFAULT_CONSOLE));
      case "dump" ->
          fields.has("address") || fields.has("length")
              ? memory(fields)
              : new Request.DumpRegisters();
      case "disk-export" ->
          new Request.DiskExport(fields.text("device"), file(fields), isQcow2(fields));
      case "disk-resize" -> new Request.DiskResize(fields.text("device"), fields.unsigned("bytes"));
      case "detach" -> new Request.Detach(fields.text("device"));
      case "forward" ->
          new Request.Forward(
              fields.optionalText("device"),
              port(fields, "hostPort", 0),
              port(fields, "guestPort", 1));
      case "poweroff" -> new Request.PowerOff();
      case "stop" -> new Request.Stop();
      default ->
          throw new Fields.Fault(
              ErrorType.UNKNOWN_COMMAND,
              "no command %s; there are status, pause, resume, snapshot, restore, console, dump, disk-export, disk-resize, detach, forward, poweroff, stop"
                  .formatted(Fields.quoted(command)));
    };
  }

  private static Request snapshot(Fields fields) throws Fields.Fault {
    boolean live = fields.flag("live");
    if (!fields.flag("stream")) {
      boolean suspend = fields.flag("suspend");
      if (suspend && live) {
        throw Fields.bad("live", "with suspend the machine stands for good");
      }
      return new Request.SnapshotToFile(file(fields), suspend, live);
    }
    if (fields.has("suspend")) {
      throw Fields.bad("suspend", "only a file can be known to be durable, not a stream");
    }
    return new Request.SnapshotToClient(live);
  }

  private static Path file(Fields fields) throws Fields.Fault {
    String text = fields.text(FILE);
    Path path;
    try {
      path = Path.of(text);
    } catch (InvalidPathException e) {
      throw Fields.bad(FILE, "%s is no path: %s".formatted(Fields.quoted(text), e.getReason()));
    }
    if (!path.isAbsolute()) {
      throw Fields.bad(FILE, "an absolute path is wanted");
    }
    return path.normalize();
  }

  private static boolean isQcow2(Fields fields) throws Fields.Fault {
    String text = fields.optionalText("format").orElse("raw");
    return switch (text) {
      case "raw" -> false;
      case "qcow2" -> true;
      default ->
          throw Fields.bad("format", "%s is none of raw, qcow2".formatted(Fields.quoted(text)));
    };
  }

  private static int port(Fields fields, String name, int least) throws Fields.Fault {
    long port = fields.unsigned(name);
    if (port < least || port > MOST_PORT) {
      throw Fields.bad(name, "a number from %d to %d is wanted".formatted(least, MOST_PORT));
    }
    return (int) port;
  }

  private Request memory(Fields fields) throws Fields.Fault {
    long address = fields.unsigned("address");
    long length = fields.unsigned("length");
    if (length < 1 || length > dumpBytes) {
      throw Fields.bad("length", "a number from 1 to %d is wanted".formatted(dumpBytes));
    }
    return new Request.DumpMemory(address, (int) length);
  }

  private static RequestId id(Fields fields) throws Fields.Fault {
    return switch (fields.take("id").orElse(null)) {
      case null -> new RequestId.Absent();
      case BigInteger number when number.bitLength() < Long.SIZE ->
          new RequestId.Number(number.longValue());
      case String text when text.length() <= RequestId.MAX_CHARS -> new RequestId.Text(text);
      default ->
          throw Fields.bad(
              "id",
              "a 64-bit integer or a text of at most %d characters is wanted"
                  .formatted(RequestId.MAX_CHARS));
    };
  }

  // ---- JSON ----

  private Map<String, Object> object(byte[] line) throws Fields.Fault {
    // Decoded here: the parser would guess at UTF-16 and UTF-32.
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
    } catch (CharacterCodingException e) {
      throw malformed("it is not UTF-8");
    }
    try (JsonParser parser = json.createParser(text)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw malformed("it is not a JSON object");
      }
      Map<String, Object> fields = new LinkedHashMap<>();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        if (fields.size() == MAX_FIELDS) {
          throw malformed("it has more than " + MAX_FIELDS + " fields");
        }
        String name = parser.currentName();
        fields.put(name, value(parser));
      }
      if (parser.nextToken() != null) {
        throw malformed("there is more than one JSON object");
      }
      return fields;
    } catch (StreamConstraintsException e) {
      throw malformed(
          "it nests deeper than %d or has a number of more than %d digits"
              .formatted(MAX_DEPTH, MAX_DIGITS));
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw malformed("it is not JSON near column " + column(e));
    } catch (IOException e) {
      throw malformed("it can't be read");
    }
  }

  private static Object value(JsonParser parser) throws IOException {
    return switch (parser.nextToken()) {
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> parser.getBigIntegerValue();
      case VALUE_TRUE -> Boolean.TRUE;
      case VALUE_FALSE -> Boolean.FALSE;
      case VALUE_NULL -> new Fields.Other("null");
      case VALUE_NUMBER_FLOAT -> new Fields.Other("a fraction");
      case START_OBJECT, START_ARRAY -> {
        parser.skipChildren();
        yield new Fields.Other("an object or array");
      }
      case null, default -> new Fields.Other("nothing");
    };
  }

  private static long column(com.fasterxml.jackson.core.JsonProcessingException e) {
    return e.getLocation() == null ? 1 : e.getLocation().getColumnNr();
  }

  private static Fields.Fault malformed(String why) {
    return new Fields.Fault(
        ErrorType.MALFORMED,
        "the line is no request: %s; example: {\"command\":\"status\"}".formatted(why));
  }
}
