package io.vmm4j.control.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The lines that the server writes, each with its line feed:
 *
 * <pre>
 * greeting = {"vmm4j-control":1,"machine":TEXT}
 * ok       = {"id":ID,"ok":true,"result":{…}}
 * error    = {"id":ID,"ok":false,"error":{"type":TYPE,"message":TEXT}}
 * chunk    = {"id":ID,"chunk":N}      followed by N bytes
 * </pre>
 *
 * {@code ID} is the request's, or null. Safe for any thread.
 */
public final class Replies {
  /** The version of the protocol, in the greeting. */
  public static final int VERSION = 1;

  /** The field of the greeting that has the version. */
  public static final String GREETING = "vmm4j-control";

  private static final JsonFactory JSON =
      new JsonFactoryBuilder()
          .enable(JsonWriteFeature.ESCAPE_NON_ASCII) // a terminal may be at the other end
          .build();

  private Replies() {}

  /** Writes the fields of a result. */
  public interface Result {
    /** Nothing but that it is done. */
    Result DONE = json -> {};

    /** Writes the fields; the object around them is there already. */
    void writeTo(JsonGenerator json) throws IOException;
  }

  /** What a connection begins with. */
  public static byte[] greeting(String machine) {
    return line(json -> {
      json.writeNumberField(GREETING, VERSION);
      json.writeStringField("machine", machine);
    });
  }

  /** The command is done. */
  public static byte[] ok(RequestId id, Result result) {
    return line(json -> {
      id(json, id);
      json.writeBooleanField("ok", true);
      json.writeObjectFieldStart("result");
      result.writeTo(json);
      json.writeEndObject();
    });
  }

  /** The command is not done. */
  public static byte[] error(RequestId id, ErrorType type, String message) {
    return line(json -> {
      id(json, id);
      json.writeBooleanField("ok", false);
      json.writeObjectFieldStart("error");
      json.writeStringField("type", type.label());
      json.writeStringField("message", message);
      json.writeEndObject();
    });
  }

  /** So many bytes of the stream that the request asked for follow. */
  public static byte[] chunk(RequestId id, int bytes) {
    return line(json -> {
      id(json, id);
      json.writeNumberField("chunk", bytes);
    });
  }

  private static void id(JsonGenerator json, RequestId id) throws IOException {
    json.writeFieldName("id");
    switch (id) {
      case RequestId.Absent absent -> json.writeNull();
      case RequestId.Number number -> json.writeNumber(number.value());
      case RequestId.Text text -> json.writeString(text.value());
    }
  }

  private static byte[] line(Result content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      content.writeTo(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("a reply can't be made", e);
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }
}
