package io.vmm4j.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SocketFileTest {
  @TempDir private Path directory;
  private final List<ServerSocketChannel> servers = new ArrayList<>();

  @AfterEach
  void closeServers() throws IOException {
    for (ServerSocketChannel server : servers) {
      server.close();
    }
  }

  private void listen(Path path) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    servers.add(server);
    server.bind(UnixDomainSocketAddress.of(path));
  }

  private static void connect(Path path) throws IOException {
    SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void onlyTheOwnerMayUseIt() throws IOException {
    // when
    List<String> modes = new ArrayList<>();
    SocketFile file =
        SocketFile.create(
            directory.resolve("control"),
            at -> {
              listen(at);
              modes.add(mode(at.getParent()));
            });

    // then
    assertThat(modes).as("of the directory where it is bound").containsExactly("rwx------");
    assertThat(mode(file.path())).isEqualTo("rw-------");
    connect(file.path());
    assertThat(files()).as("nothing else is left").containsExactly("control");
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void itIsGoneOnceDeleted() throws IOException {
    SocketFile file = SocketFile.create(directory.resolve("control"), this::listen);

    file.delete();
    file.delete();

    assertThat(files()).isEmpty();
  }

  @Test
  void aSocketOfADeadProcessIsReplaced() throws IOException {
    // given
    Path path = directory.resolve("control");
    listen(path);
    servers.getFirst().close();
    assertThat(path).exists();

    // when
    SocketFile.create(path, this::listen);

    // then
    connect(path);
    assertThat(files()).containsExactly("control");
  }

  @Test
  void aSocketInUseIsLeftAlone() throws IOException {
    Path path = directory.resolve("control");
    listen(path);

    assertThatThrownBy(() -> SocketFile.create(path, this::listen))
        .isInstanceOf(SocketFileException.InUse.class)
        .hasMessageContaining("another server listens");

    connect(path);
    assertThat(files()).containsExactly("control");
  }

  @Test
  void anotherFileIsLeftAlone() throws IOException {
    Path path = Files.writeString(directory.resolve("control"), "precious");

    assertThatThrownBy(() -> SocketFile.create(path, this::listen))
        .isInstanceOf(SocketFileException.Unusable.class)
        .hasMessageContaining("no socket");

    assertThat(path).hasContent("precious");
    assertThat(files()).containsExactly("control");
  }

  @ParameterizedTest
  @ValueSource(strings = {"mkfifo control", "mknod control c 1 3"})
  void aFifoAndADeviceNodeAreLeftAlone(String command) throws Exception {
    // given a file that Java calls "other", as it does a socket
    Process made = new ProcessBuilder(command.split(" ")).directory(directory.toFile()).start();
    assumeTrue(made.waitFor() == 0, "SKIPPED: only root may make a device node");
    Path path = directory.resolve("control");
    Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();

    // then
    assertThatThrownBy(() -> SocketFile.create(path, this::listen))
        .isInstanceOf(SocketFileException.Unusable.class)
        .hasMessageContaining("no socket");
    assertThat(Files.readAttributes(path, BasicFileAttributes.class).fileKey()).isEqualTo(key);
    assertThat(files()).containsExactly("control");
  }

  @Test
  void aSymbolicLinkIsNotFollowed() throws IOException {
    Path path = Files.createSymbolicLink(directory.resolve("control"), Path.of("elsewhere"));

    assertThatThrownBy(() -> SocketFile.create(path, this::listen))
        .isInstanceOf(SocketFileException.Unusable.class);

    assertThat(files()).containsExactly("control");
  }

  @Test
  void itsSuccessorIsNotDeleted() throws IOException {
    // given
    Path path = directory.resolve("control");
    SocketFile first = SocketFile.create(path, this::listen);
    servers.getFirst().close();
    SocketFile.create(path, this::listen);

    // when
    first.delete();

    // then
    connect(path);
  }

  @Test
  void aDirectoryThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> SocketFile.create(directory.resolve("no/control"), this::listen))
        .isInstanceOf(SocketFileException.Unusable.class)
        .hasMessageContaining("there is no directory " + directory.resolve("no"));
  }

  @Test
  void aPathThatIsTooLongIsRefused() throws IOException {
    Path deep =
        Files.createDirectory(directory.resolve("d".repeat(100 - directory.toString().length())));

    assertThatThrownBy(() -> SocketFile.create(deep.resolve("c"), this::listen))
        .isInstanceOf(SocketFileException.Unusable.class)
        .hasMessageContaining("too long by");
    assertThat(deep).isEmptyDirectory();
  }

  @Test
  void theLongestPathIsOneThatAClientCanReach() throws IOException {
    Path longest = directory.resolve("n".repeat(105 - directory.toString().length()));
    SocketFile.create(longest, this::listen);
    connect(longest);

    Path longer = directory.resolve("n".repeat(106 - directory.toString().length()));
    assertThatThrownBy(() -> SocketFile.create(longer, this::listen))
        .isInstanceOf(SocketFileException.Unusable.class)
        .hasMessageContaining("its path is 107 bytes long");
    assertThatThrownBy(() -> connect(longer)).isInstanceOf(IOException.class);
    assertThat(files()).containsExactly(longest.getFileName().toString());
  }

  @Test
  void aFailureToBindLeavesNothing() throws IOException {
    assertThatThrownBy(() ->
            SocketFile.create(
                directory.resolve("control"),
                at -> {
                  throw new IOException("no luck");
                }))
        .isInstanceOf(SocketFileException.Unusable.class)
        .hasMessageContaining("no luck");
    assertThat(files()).isEmpty();
  }
}
