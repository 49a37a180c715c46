package io.vmm4j.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * HotSpot compiles no method over 8000 bytecodes (its flag HugeMethodLimit): such a method stays
 * interpreted for ever, which would make the processor slower by a factor of ten or more without
 * any other sign. The limit here leaves room to notice it coming.
 */
class MethodSizeTest {
  private static final int LIMIT_BYTES = 7500;

  @Test
  void noMethodIsTooLongToBeCompiled() throws IOException {
    // given the compiled classes of the project, the software processor among them
    List<Path> modules =
        ClassPath.entries().filter(entry -> entry.toString().contains("/vmm-")).toList();
    assertThat(modules).asString().contains("vmm-software", "vmm-engine");

    // then none has a method over the limit
    for (Path module : modules) {
      if (Files.isDirectory(module)) {
        assertThat(methodsOverTheLimit(module)).isEmpty();
      } else {
        try (FileSystem jar = FileSystems.newFileSystem(module)) {
          Path root = jar.getPath("/");
          assertThat(classFilesBelow(root)).as(module.toString()).isNotEmpty();
          assertThat(methodsOverTheLimit(root)).isEmpty();
        }
      }
    }
  }

  @Test
  void aMethodOverTheLimitWouldBeFound(@TempDir Path directory) throws IOException {
    // given a class with one method at the limit and one a single bytecode over it
    byte[] bytes =
        ClassFile.of()
            .build(
                ClassDesc.of("Sample"),
                type ->
                    type.withMethodBody(
                            "atTheLimit",
                            MethodTypeDesc.of(ConstantDescs.CD_void),
                            ClassFile.ACC_STATIC,
                            code -> fill(code, LIMIT_BYTES))
                        .withMethodBody(
                            "overTheLimit",
                            MethodTypeDesc.of(ConstantDescs.CD_void),
                            ClassFile.ACC_STATIC,
                            code -> fill(code, LIMIT_BYTES + 1)));
    Files.write(directory.resolve("Sample.class"), bytes);

    // then the second is reported with its size
    assertThat(methodsOverTheLimit(directory)).containsExactly("Sample.overTheLimit: 7501");
  }

  private static void fill(CodeBuilder code, int lengthBytes) {
    for (int i = 1; i < lengthBytes; i++) {
      code.nop();
    }
    code.return_();
  }

  private static List<String> methodsOverTheLimit(Path directory) throws IOException {
    return classFilesBelow(directory).stream()
        .map(MethodSizeTest::parse)
        .flatMap(type -> type.methods().stream())
        .filter(method -> codeLengthBytes(method) > LIMIT_BYTES)
        .map(method ->
            "%s.%s: %d"
                .formatted(
                    method.parent().orElseThrow().thisClass().asInternalName(),
                    method.methodName().stringValue(),
                    codeLengthBytes(method)))
        .toList();
  }

  private static int codeLengthBytes(MethodModel method) {
    return method.code().map(code -> ((CodeAttribute) code).codeLength()).orElse(0);
  }

  private static ClassModel parse(Path file) {
    try {
      return ClassFile.of().parse(file);
    } catch (IOException e) {
      throw new AssertionError("can't read " + file, e);
    }
  }

  private static List<Path> classFilesBelow(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(file -> file.toString().endsWith(".class")).sorted().toList();
    }
  }
}
