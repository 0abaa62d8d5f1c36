import com.fluenda.parcefone.event.CommonEvent;
import com.fluenda.parcefone.parser.CEFParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Judges CEF events, one a line, by NiFi's parser, which holds each key of the dictionary against its type. */
public class JudgeCef {
  private static String complaint(String line) {
    try {
      CommonEvent event = new CEFParser().parse(line, false, true, Locale.ENGLISH);
      if (event == null) return "refused";
      Object hash = event.getExtension(true, true).get("slHash");
      return hash == null ? "no slHash found in it" : null;
    } catch (Exception error) {
      return error.toString();
    }
  }

  public static void main(String[] paths) throws Exception {
    int passed = 0, failed = 0;
    for (String path : paths) {
      for (String line : Files.readString(Path.of(path)).split("\n")) {
        if (line.isBlank()) continue; // what a recovery leaves
        String complaint = complaint(line);
        if (complaint == null) {
          ++passed;
        } else {
          ++failed;
          System.out.println(path + ": " + complaint + ": " + line.substring(0, Math.min(300, line.length())));
        }
      }
    }
    System.out.println("ParCEFone, cef: " + passed + " passed, " + failed + " failed");
    System.exit(failed == 0 && passed > 0 ? 0 : 1);
  }
}
