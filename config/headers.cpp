// For targets that have nothing but precompiled headers: CMake compiles those only for one that compiles something.
