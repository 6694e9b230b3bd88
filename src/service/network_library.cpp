// The library parts of Boost.Asio and Boost.Beast, compiled here once; every other source file sees declarations only.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
